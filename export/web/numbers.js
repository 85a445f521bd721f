// Between what a person sees and what a network takes.

// Between words, as `keras_gans.words` has it.
const SEPARATORS = /[\x00-\x2f:-@[-`{-\x7f\xa0-\xbf\u2000-\u206f\u3000-\u303f]+/;

// A seed as BigInt; refused is what is no whole number of 64 bits.
export function seedOf(text) {
  const written = text.trim();
  if (!/^-?\d+$/.test(written)) throw new RangeError(`A seed is a whole number. Received: ${written || "nothing"}.`);
  const seed = BigInt(written);
  if (BigInt.asIntN(64, seed) !== seed) throw new RangeError("A seed has 64 bits: from -2^63 to 2^63 - 1.");
  return seed;
}

// A text's numbers of words or characters, as the exported model's tokenizer has them: Int32Array of `length`, 1 for what
// is not in the vocabulary (a Map) and 0 for padding; and what was not in it, once each.
export function tokensOf(text, vocabulary, { level, length }) {
  const found = pieces(text, level);
  const tokens = new Int32Array(length);
  found.slice(0, length).forEach((piece, place) => (tokens[place] = vocabulary.get(piece) ?? 1));
  return { tokens, unknown: [...new Set(found.filter((piece) => !vocabulary.has(piece)))], count: found.length };
}

function pieces(text, level) {
  // A to Z alone: other letters' cases are a matter of language and version.
  const lower = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (level === "word") return lower.split(SEPARATORS).filter((word) => word !== "");
  return Array.from(lower.split(/[\t-\r ]+/).join(" ").replace(/^ | $/g, ""));
}

// RGBA levels of numbers in [-1, 1], as the exported model's `sample` rounds them.
export function toLevels(numbers, channels) {
  const levels = new Uint8ClampedArray((numbers.length / channels) * 4);
  for (let pixel = 0; pixel < levels.length / 4; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const number = numbers[pixel * channels + (channels === 1 ? 0 : channel)];
      // A clamped array rounds, halves to the even number.
      levels[4 * pixel + channel] = Math.fround(Math.fround(number + 1) * 127.5);
    }
    levels[4 * pixel + 3] = 255;
  }
  return levels;
}

// Numbers in [-1, 1] of RGBA levels: of one channel the luminance.
export function toNumbers(levels, channels) {
  const numbers = new Float32Array((levels.length / 4) * channels);
  for (let pixel = 0; pixel < levels.length / 4; pixel++) {
    const [red, green, blue] = levels.subarray(4 * pixel, 4 * pixel + 3);
    const values = channels === 1 ? [Math.round(0.299 * red + 0.587 * green + 0.114 * blue)] : [red, green, blue];
    values.forEach((value, channel) => (numbers[pixel * channels + channel] = value / 127.5 - 1));
  }
  return numbers;
}

// From coordinates to places on a square canvas of `size` pixels: {scale, ends: [[lowest, highest] of x, and of y], at},
// where one unit is as long in both directions, and y grows upwards.
export function fitted(points, size, margin) {
  const finite = points.filter((point) => point.every(Number.isFinite));
  const ends = [0, 1].map((axis) => {
    const values = finite.map((point) => point[axis]);
    return values.length ? [Math.min(...values), Math.max(...values)] : [0, 0];
  });
  const span = Math.max(...ends.map(([low, high]) => high - low)) || 1;
  const scale = (size - 2 * margin) / span;
  const middles = ends.map(([low, high]) => (low + high) / 2);
  const at = ([x, y]) => [size / 2 + scale * (x - middles[0]), size / 2 - scale * (y - middles[1])];
  return { scale, ends, at };
}

const dot = (first, second) => first.reduce((sum, number, index) => sum + number * second[index], 0);

// Of two latents, as the exported model's `interpolate`: along the great circle for the prior "normal", else straight.
export function blend(first, second, fraction, prior) {
  if (fraction === 0) return first;
  if (fraction === 1) return second;
  const mix = (a, b) => Float32Array.from(a, (number, index) => (1 - fraction) * number + fraction * b[index]);
  const lengths = [first, second].map((each) => Math.sqrt(dot(each, each)));
  if (prior !== "normal" || !lengths[0] || !lengths[1]) return mix(first, second);
  const [u, v] = [first, second].map((each, index) => Array.from(each, (number) => number / lengths[index]));
  const cosine = dot(u, v);
  const across = v.map((number, index) => number - cosine * u[index]);
  const sine = Math.sqrt(dot(across, across));
  // Latents of two seeds are never opposite; those of one seed are equal.
  if (sine < 1e-6) return mix(first, second);
  const angle = fraction * Math.atan2(sine, cosine);
  const length = (1 - fraction) * lengths[0] + fraction * lengths[1];
  return Float32Array.from(u, (number, index) => length * (Math.cos(angle) * number + Math.sin(angle) * across[index] / sine));
}
