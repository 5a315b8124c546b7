/** The last picture, kept over the video while the next channel opens. */
import type { Elements } from "./state";

/** Paint the present picture over the video, which loses its own with its source. */
export function keepPicture({ video, still, fields }: Elements): void {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return;
  const source = fields.hidden ? video : fields;
  still.width = video.videoWidth;
  still.height = video.videoHeight;
  still.getContext("2d")?.drawImage(source, 0, 0, still.width, still.height);
  still.hidden = false;
}
