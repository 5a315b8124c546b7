/** What the API answers. `npm run types` makes schema.ts of docs/reference/openapi.json. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Access = Schemas["Access"];
export type Channel = Schemas["Channel"];
export type Channels = Schemas["Channels"];
export type Failures = Schemas["Failures"];
export type Guide = Schemas["Guide"];
export type Now = Schemas["Now"];
export type Problem = Schemas["Problem"];
export type Programme = Schemas["Programme"];
export type Shown = Schemas["Shown"];
export type Slot = Schemas["Slot"];
export type Status = Schemas["Status"];
export type Stream = Schemas["Stream"];
export type Streams = Schemas["Streams"];
export type Upstream = Schemas["Upstream"];
