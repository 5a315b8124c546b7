/** What the API answers. `npm run types` makes schema.ts of docs/reference/openapi.json. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Channel = Schemas["Channel"];
export type Channels = Schemas["Channels"];
export type Programme = Schemas["Programme"];
export type Problem = Schemas["Problem"];
export type Status = Schemas["Status"];
export type Streams = Schemas["Streams"];
