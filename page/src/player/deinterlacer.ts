/**
 * Makes a picture of each field, on a canvas over the video: browsers show both fields of a frame
 * at once, so that everything that moves has combs.
 *
 * Lines of the field's own time are taken as they are. A line between them comes from the other
 * field where nothing moves, and from its neighbours above and below along the best direction where
 * something does; the measure of motion is that of ffmpeg's `yadif`, without the frame to come:
 * waiting for that would put the picture 40 ms behind its sound.
 */
import { type FieldOrder, FieldOrderVote, judgeFrame, type Strip } from "./field-order";
import { COLOURS, CORNER, FIELD, linked, texture } from "./shaders";

/** Columns of the frame by which the field order is judged. */
const STRIP_COLUMNS = 32;
/** Frames from the beginning of one judgement to the next: until decided, and afterwards. */
const JUDGE_EAGERLY = 6;
const JUDGE_RARELY = 50;
/** Judgements that are made eagerly. */
const EAGER_JUDGEMENTS = 24;

/** Time over which missed frames are counted, in ms. */
const TRIAL_MS = 2000;
/** Part of the frames that may be missed. */
const MISSED_PART = 0.2;
/** Time that the pictures of a frame may take, as a part of the frame's time. */
const BUSY_PART = 0.6;
/** Frames whose cost is measured at the beginning; the very first one compiles the program. */
const MEASURED_FIRST = 6;
/** Frames between later measurements, which wait for the graphics processor. */
const MEASURE_EACH = 25;
/** Measurements that decide. */
const LEAST_COSTS = 3;

export interface DeinterlaceFigures {
  order: FieldOrder;
  /** Time that the pictures of a frame take, upload included, in ms. */
  costMs: number | undefined;
  /** Pictures shown in a second. */
  rate: number | undefined;
}

interface FrameMetadata {
  presentedFrames: number;
  mediaTime: number;
  expectedDisplayTime: number;
}

export type Refusal = "unavailable" | "too-slow";

export class Deinterlacer {
  readonly #video: HTMLVideoElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #onRefusal: (refusal: Refusal) => void;
  readonly #vote = new FieldOrderVote();
  #gl: WebGL2RenderingContext | null = null;
  #program: WebGLProgram | null = null;
  #colours: WebGLProgram | null = null;
  /** The frame as the browser has it. */
  #raw: WebGLTexture | null = null;
  /** The newest frame and the one before. */
  #textures: WebGLTexture[] = [];
  #strip: WebGLFramebuffer | null = null;
  #target: WebGLFramebuffer | null = null;
  #newest = 0;
  #frames = 0;
  #size = { width: 0, height: 0 };
  #callback = 0;
  #animation = 0;
  #isClosed = false;
  /** When the later field of the newest frame is due; undefined once it is shown. */
  #secondDue: number | undefined;
  #lastMediaTime: number | undefined;
  #frameTime = 0.04;
  #trial = { began: 0, first: 0, taken: 0 };
  #costs: number[] = [];
  #shown: number[] = [];
  #strips: Strip[] = [];
  #judgements = 0;
  #sinceJudgement = 0;

  constructor(
    video: HTMLVideoElement,
    canvas: HTMLCanvasElement,
    onRefusal: (refusal: Refusal) => void,
  ) {
    this.#video = video;
    this.#canvas = canvas;
    this.#onRefusal = onRefusal;
    if (!("requestVideoFrameCallback" in video) || !this.#prepare()) {
      queueMicrotask(() => this.#refuse("unavailable"));
      return;
    }
    canvas.addEventListener("webglcontextlost", this.#onLost);
    this.#await();
  }

  readonly #onLost = (event: Event): void => {
    event.preventDefault();
    this.#refuse("unavailable");
  };

  #refuse(refusal: Refusal): void {
    if (this.#isClosed) return;
    this.close();
    this.#onRefusal(refusal);
  }

  #prepare(): boolean {
    const gl = this.#canvas.getContext("webgl2", {
      alpha: false,
      antialias: false,
      depth: false,
      powerPreference: "low-power",
    });
    if (gl === null || gl.isContextLost()) return false;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(CORNER);
    gl.vertexAttribPointer(CORNER, 2, gl.FLOAT, false, 0, 0);
    this.#program = linked(gl, FIELD);
    this.#colours = linked(gl, COLOURS);
    if (this.#program === null || this.#colours === null) return false;
    this.#raw = texture(gl);
    this.#textures = [texture(gl), texture(gl)];
    this.#target = gl.createFramebuffer();
    this.#strip = gl.createFramebuffer();
    this.#gl = gl;
    return true;
  }

  #await(): void {
    this.#callback = this.#video.requestVideoFrameCallback((_, metadata) =>
      this.#onFrame(metadata),
    );
  }

  #onFrame(metadata: FrameMetadata): void {
    if (this.#isClosed) return;
    this.#await();
    if (document.hidden) return;
    const began = performance.now();
    this.#takeTimes(metadata);
    this.#upload();
    this.#judge();
    const order = this.#vote.order;
    if (order === "progressive") {
      this.#canvas.hidden = true;
    } else {
      this.#showField(true);
      this.#canvas.hidden = false;
      this.#secondDue = metadata.expectedDisplayTime + this.#frameTime * 500;
      if (this.#video.paused) this.#secondDue = undefined;
      this.#animate();
    }
    this.#frames += 1;
    this.#watch(metadata, began);
  }

  /** Learn how long a frame lasts. */
  #takeTimes({ mediaTime }: FrameMetadata): void {
    const last = this.#lastMediaTime;
    this.#lastMediaTime = mediaTime;
    const passed = last === undefined ? 0 : mediaTime - last;
    // 23.976 to 30 frames a second; anything else is a missed frame, or a seek.
    if (passed > 0.033 && passed < 0.043) this.#frameTime = passed;
  }

  #upload(): void {
    const gl = this.#gl;
    if (gl === null) return;
    const { videoWidth: width, videoHeight: height } = this.#video;
    const isNew = width !== this.#size.width || height !== this.#size.height;
    if (isNew) {
      this.#size = { width, height };
      this.#canvas.width = width;
      this.#canvas.height = height;
      gl.viewport(0, 0, width, height);
      this.#strips = [];
      for (const each of this.#textures) {
        gl.bindTexture(gl.TEXTURE_2D, each);
        gl.texImage2D(
          gl.TEXTURE_2D,
          0,
          gl.RGBA8,
          width,
          height,
          0,
          gl.RGBA,
          gl.UNSIGNED_BYTE,
          null,
        );
      }
    }
    this.#newest = 1 - this.#newest;
    gl.bindTexture(gl.TEXTURE_2D, this.#raw);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, this.#video);
    // The first frame is its own predecessor.
    for (const target of isNew ? [1 - this.#newest, this.#newest] : [this.#newest]) {
      this.#takeColours(gl, this.#textures[target] ?? null);
    }
  }

  /** Write the frame with the right colours into a texture. */
  #takeColours(gl: WebGL2RenderingContext, into: WebGLTexture | null): void {
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#target);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, into, 0);
    this.#draw(gl, this.#colours, [this.#raw], {});
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  #draw(
    gl: WebGL2RenderingContext,
    program: WebGLProgram | null,
    textures: (WebGLTexture | null)[],
    values: Record<string, number>,
  ): void {
    if (program === null) return;
    gl.useProgram(program);
    for (const [unit, each] of textures.entries()) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, each);
    }
    gl.activeTexture(gl.TEXTURE0);
    const place = (name: string) => gl.getUniformLocation(program, name);
    gl.uniform2i(place("size"), this.#size.width, this.#size.height);
    for (const [name, value] of Object.entries(values)) gl.uniform1i(place(name), value);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  #showField(isFirst: boolean): void {
    const gl = this.#gl;
    if (gl === null) return;
    const textures = [
      this.#textures[this.#newest] ?? null,
      this.#textures[1 - this.#newest] ?? null,
    ];
    this.#draw(gl, this.#program, textures, {
      frame: 0,
      before: 1,
      isFirst: isFirst ? 1 : 0,
      parity: (this.#vote.order === "top-first") === isFirst ? 0 : 1,
    });
    this.#shown = [...this.#shown, performance.now()].slice(-101);
  }

  #animate(): void {
    if (this.#animation !== 0) return;
    const step = (now: number) => {
      this.#animation = 0;
      if (this.#isClosed || this.#secondDue === undefined) return;
      // Nearer to this refresh of the display than to the next one.
      if (now + 4 >= this.#secondDue) {
        this.#secondDue = undefined;
        this.#showField(false);
        return;
      }
      this.#animation = requestAnimationFrame(step);
    };
    this.#animation = requestAnimationFrame(step);
  }

  /** Look at three consecutive frames from time to time, and vote. */
  #judge(): void {
    const each = this.#judgements < EAGER_JUDGEMENTS ? JUDGE_EAGERLY : JUDGE_RARELY;
    this.#sinceJudgement += 1;
    if (this.#strips.length === 0 && this.#sinceJudgement < each) return;
    const strip = this.#readStrip();
    if (strip === undefined) return;
    this.#strips = [...this.#strips, strip];
    const [before, frame, after] = this.#strips;
    if (before === undefined || frame === undefined || after === undefined) return;
    this.#vote.add(judgeFrame(before, frame, after));
    this.#strips = [];
    this.#sinceJudgement = 0;
    this.#judgements += 1;
  }

  #readStrip(): Strip | undefined {
    const gl = this.#gl;
    const { width, height } = this.#size;
    if (gl === null || width < STRIP_COLUMNS || height < 16) return undefined;
    const pixels = new Uint8Array(STRIP_COLUMNS * height * 4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#strip);
    const newest = this.#textures[this.#newest] ?? null;
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, newest, 0);
    const left = (width - STRIP_COLUMNS) >> 1;
    gl.readPixels(left, 0, STRIP_COLUMNS, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    const luma = new Uint8Array(STRIP_COLUMNS * height);
    for (let index = 0; index < luma.length; index++) luma[index] = pixels[index * 4 + 1] ?? 0;
    return { width: STRIP_COLUMNS, height, luma };
  }

  /** Give up if the device does not keep up. */
  #watch({ presentedFrames }: FrameMetadata, began: number): void {
    const count = this.#frames;
    if (count > 1 && (count <= MEASURED_FIRST || count % MEASURE_EACH === 0)) {
      // Reading a pixel waits until everything before it is done.
      this.#gl?.readPixels(0, 0, 1, 1, this.#gl.RGBA, this.#gl.UNSIGNED_BYTE, new Uint8Array(4));
      this.#costs = [...this.#costs, performance.now() - began].slice(-9);
    }
    const busy = this.figures().costMs ?? 0;
    const isBusy = this.#costs.length >= LEAST_COSTS && busy > this.#frameTime * 1000 * BUSY_PART;
    if (isBusy || this.#misses(presentedFrames)) this.#refuse("too-slow");
  }

  /** Return whether too many frames were missed in the time that is just over. */
  #misses(presentedFrames: number): boolean {
    const trial = this.#trial;
    const now = performance.now();
    trial.taken += 1;
    if (now - trial.began < TRIAL_MS) return false;
    const shown = presentedFrames - trial.first;
    const missed = shown <= 0 ? 0 : 1 - trial.taken / shown;
    const isFirst = trial.first === 0;
    this.#trial = { began: now, first: presentedFrames, taken: 0 };
    // Faster than it was broadcast, frames are missed on purpose.
    return !isFirst && missed > MISSED_PART && this.#video.playbackRate <= 1.1;
  }

  figures(): DeinterlaceFigures {
    const sorted = [...this.#costs].sort((one, other) => one - other);
    const [first, last] = [this.#shown[0], this.#shown[this.#shown.length - 1]];
    const passed = first === undefined || last === undefined ? 0 : last - first;
    return {
      order: this.#vote.order,
      costMs: sorted[sorted.length >> 1],
      rate: passed > 0 ? ((this.#shown.length - 1) * 1000) / passed : undefined,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#canvas.removeEventListener("webglcontextlost", this.#onLost);
    if ("cancelVideoFrameCallback" in this.#video) {
      this.#video.cancelVideoFrameCallback(this.#callback);
    }
    cancelAnimationFrame(this.#animation);
    this.#canvas.hidden = true;
    const gl = this.#gl;
    this.#gl = null;
    if (gl === null) return;
    for (const each of [this.#raw, ...this.#textures]) gl.deleteTexture(each);
    for (const each of [this.#program, this.#colours]) gl.deleteProgram(each);
    for (const each of [this.#strip, this.#target]) gl.deleteFramebuffer(each);
  }
}
