/** The picture, and what is drawn over it: the last picture, fields, subtitles, the card of a radio. */
import { relative } from "../api/client";
import type { Channel, Programme } from "../api/types";
import type { ElementRefs } from "./usePlayback";

interface StageProps {
  refs: ElementRefs;
  /** The channel, if it has sound only. */
  radio: Channel | undefined;
  programme: Programme | undefined;
  /** Called by a double click. */
  onFill: () => void;
  /** Called by a click of a mouse. */
  onToggle: () => void;
}

export function Stage({ refs, radio, programme, onFill, onToggle }: StageProps) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: buttons and keys do the same
    // biome-ignore lint/a11y/useKeyWithClickEvents: space and f do the same
    <div
      class="stage"
      onDblClick={onFill}
      onClick={(event) => {
        // A tap shows the controls; a click of a mouse pauses, as everywhere.
        if ((event as unknown as PointerEvent).pointerType === "mouse") onToggle();
      }}
    >
      {/* biome-ignore lint/a11y/useMediaCaption: subtitles are drawn over the picture */}
      <video ref={refs.video} playsInline data-testid="video" tabIndex={-1} />
      <canvas ref={refs.fields} class="fields" hidden data-testid="fields" />
      <canvas ref={refs.still} class="still" hidden data-testid="still" />
      {radio && <RadioCard channel={radio} programme={programme} />}
      <canvas ref={refs.images} class="images" data-testid="subtitle-images" />
      <div ref={refs.cues} class="cues" data-testid="subtitles" />
    </div>
  );
}

function RadioCard({ channel, programme }: { channel: Channel; programme: Programme | undefined }) {
  return (
    <div class="radio">
      {channel.logo_url && <img src={relative(channel.logo_url)} alt="" />}
      <b>{channel.name}</b>
      {programme && <span>{programme.title}</span>}
    </div>
  );
}
