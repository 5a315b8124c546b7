/** Address of hls.js's worker, relative to the page; build.mjs puts it in. */
declare const HLS_WORKER_PATH: string;

declare module "*.css";
