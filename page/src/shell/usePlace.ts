/** The place of the page that the URL names. */
import { useEffect, useState } from "preact/hooks";
import { type Place, placeOf } from "../router";

/** Return the present place. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    // A link to the present place changes no hash, but must end the search as well.
    const onClick = ({ target }: MouseEvent) => {
      const link = target instanceof Element ? target.closest("a") : null;
      if (link?.href === location.href) follow();
    };
    addEventListener("hashchange", follow);
    addEventListener("click", onClick);
    return () => {
      removeEventListener("hashchange", follow);
      removeEventListener("click", onClick);
    };
  }, []);
  return place;
}
