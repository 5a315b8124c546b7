/** Programs of the de-interlacer for the graphics processor. */

const VERTEX = `#version 300 es
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }`;

/**
 * Gives each line the colours of its own field. Pairs of lines share their colours, and a line of
 * colours belongs to one field (4:2:0, ISO/IEC 13818-2, 6.1.1.8); browsers take a frame for one
 * picture, so that half of the lines have those of the other field.
 */
export const COLOURS = `#version 300 es
precision highp float;
uniform sampler2D frame;
uniform ivec2 size;
out vec4 colour;

vec3 at(int x, int y) { return texelFetch(frame, ivec2(x, clamp(y, 0, size.y - 1)), 0).rgb; }

void main() {
  // Written as it is read: the first line is the uppermost.
  int x = int(gl_FragCoord.x);
  int y = int(gl_FragCoord.y);
  vec3 own = at(x, y);
  if (((y >> 1) & 1) == (y & 1)) { colour = vec4(own, 1.0); return; }
  vec3 weights = size.y > 576 ? vec3(0.2126, 0.7152, 0.0722) : vec3(0.299, 0.587, 0.114);
  vec3 near = (at(x, y - 2) + at(x, y + 2)) * 0.5;
  colour = vec4(clamp(dot(own, weights) + near - dot(near, weights), 0.0, 1.0), 1.0);
}`;

/** Makes the picture of one field. */
export const FIELD = `#version 300 es
precision highp float;
uniform sampler2D frame;
uniform sampler2D before;
// Which rows are of the field's own time: 0 for even ones, 1 for odd ones.
uniform int parity;
// Whether the field is the earlier one of its frame.
uniform bool isFirst;
uniform ivec2 size;
out vec4 colour;

vec3 at(sampler2D source, int x, int y) {
  return texelFetch(source, ivec2(clamp(x, 0, size.x - 1), clamp(y, 0, size.y - 1)), 0).rgb;
}
float luma(vec3 value) { return dot(value, vec3(0.299, 0.587, 0.114)); }
float apart(vec3 one, vec3 other) { return luma(abs(one - other)); }

vec3 between(int x, int y, vec3 above, vec3 below) {
  vec3 best = (above + below) * 0.5;
  vec3 up[7];
  vec3 down[7];
  for (int i = 0; i < 7; i++) {
    up[i] = at(frame, x + i - 3, y - 1);
    down[i] = at(frame, x + i - 3, y + 1);
  }
  float least = apart(up[2], down[2]) + apart(up[3], down[3]) + apart(up[4], down[4]) - 0.004;
  for (int side = -1; side <= 1; side += 2) {
    float score = apart(up[2 + side], down[2 - side]) + apart(up[3 + side], down[3 - side])
      + apart(up[4 + side], down[4 - side]);
    if (score >= least) continue;
    least = score;
    best = (up[3 + side] + down[3 - side]) * 0.5;
    int far = 2 * side;
    int last = side < 0 ? 0 : 6;
    score = apart(up[3 + far - side], down[3 - far + side]) + apart(up[3 + far], down[3 - far])
      + apart(up[last], down[6 - last]);
    if (score >= least) continue;
    least = score;
    best = (up[3 + far] + down[3 - far]) * 0.5;
  }
  return best;
}

void main() {
  int x = int(gl_FragCoord.x);
  int y = size.y - 1 - int(gl_FragCoord.y);
  vec3 own = at(frame, x, y);
  if ((y & 1) == parity) { colour = vec4(own, 1.0); return; }
  vec3 above = at(frame, x, y - 1);
  vec3 below = at(frame, x, y + 1);
  vec3 past = at(before, x, y);
  // The same line at the nearest times: half a frame before and after, or half a frame before.
  vec3 steady = isFirst ? (past + own) * 0.5 : own;
  float motion = max(
    apart(past, own) * 0.5,
    (apart(at(before, x, y - 1), above) + apart(at(before, x, y + 1), below)) * 0.5
  );
  // What differs from both neighbours more than theirs do is a detail, not a comb.
  vec3 farAbove = isFirst ? (at(before, x, y - 2) + at(frame, x, y - 2)) * 0.5 : at(frame, x, y - 2);
  vec3 farBelow = isFirst ? (at(before, x, y + 2) + at(frame, x, y + 2)) * 0.5 : at(frame, x, y + 2);
  vec3 b = farAbove - above;
  vec3 f = farBelow - below;
  vec3 highest = max(max(steady - below, steady - above), min(b, f));
  vec3 lowest = min(min(steady - below, steady - above), max(b, f));
  vec3 reach = max(vec3(motion), max(lowest, -highest));
  colour = vec4(clamp(between(x, y, above, below), steady - reach, steady + reach), 1.0);
}`;

/** Location of the vertex shader's input. */
export const CORNER = 0;

/** Return a program of the vertex shader and a fragment shader; null if the driver refuses it. */
export function linked(gl: WebGL2RenderingContext, fragment: string): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, CORNER, "corner");
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

/** Return a texture that is read pixel by pixel. */
export function texture(gl: WebGL2RenderingContext): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  }
  return made;
}
