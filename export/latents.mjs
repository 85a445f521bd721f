// Latents from seeds, as the exported model's `sample` draws them: no library, in any browser or Node.
//
//     import { latents } from "./latents.mjs";
//     const z = latents(7, 100);                      // Float32Array of 100 numbers from N(0, 1)
//     const z = latents(7, 12, "categorical_10");     // see "latents" in report.json for the prior and the size
//
// A seed is a whole number of 64 bits. A JavaScript number holds those up to 2^53 - 1 exactly: pass a BigInt, 7n, for any
// beyond; a larger number is refused, as it may be another seed than was written.
//
// The bits are Philox4x32-10, and are TensorFlow's, as are latents of the prior "uniform". Normal numbers are made of them
// by Box and Muller's logarithm, sine and cosine, which no two mathematical libraries round alike: they differ from the
// server's by a few units in the last place.

const { fround } = Math;

// Ten rounds of Philox on a counter of four uint32 under a key of two.
function philox([a, b, c, d], [k, m]) {
  for (let round = 0; round < 10; round++) {
    const first = BigInt(a) * 0xd2511f53n;
    const second = BigInt(c) * 0xcd9e8d57n;
    [a, b, c, d] = [
      (Number(second >> 32n) ^ b ^ k) >>> 0,
      Number(second & 0xffffffffn),
      (Number(first >> 32n) ^ d ^ m) >>> 0,
      Number(first & 0xffffffffn),
    ];
    k = (k + 0x9e3779b9) >>> 0;
    m = (m + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

function halves(seed) {
  const bits = BigInt.asUintN(64, seed);
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

// `count` uint32 of a pair of seeds (BigInt), as TensorFlow's stateless "philox" draws them.
export function bits([seed, other], count) {
  const mixed = philox([...halves(seed), ...halves(other)], [0x3ec8f720, 0x02461e29]);
  const drawn = [];
  for (let block = 0; drawn.length < count; block++) {
    drawn.push(...philox([block, 0, mixed[2], mixed[3]], [mixed[0], mixed[1]]));
  }
  return drawn.slice(0, count);
}

// Numbers from [0, 1), each a float32: 23 bits.
export function uniform(pair, count) {
  return bits(pair, count).map((each) => (each & 0x7fffff) / 2 ** 23);
}

export function normal(pair, count) {
  const places = uniform(pair, count + (count % 2));
  const drawn = [];
  for (let index = 0; index < places.length; index += 2) {
    const length = fround(Math.sqrt(fround(-2 * fround(Math.log(Math.max(places[index], fround(1e-7)))))));
    const angle = fround(2 * Math.PI * places[index + 1]);
    drawn.push(fround(length * fround(Math.sin(angle))), fround(length * fround(Math.cos(angle))));
  }
  return drawn.slice(0, count);
}

function foldIn(pair, number) {
  const [low, high] = bits(pair, 2);
  return [BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)), BigInt(number)];
}

// One latent of a seed: Float32Array of `latentDim` numbers.
export function latents(seed, latentDim, prior = "normal") {
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    throw new RangeError(`A seed beyond 2^53 - 1 is written as a BigInt, such as 7n. Received: ${seed}.`);
  }
  if (BigInt.asIntN(64, BigInt(seed)) !== BigInt(seed)) {
    throw new RangeError(`A seed has 64 bits: from -2^63 to 2^63 - 1. Received: ${seed}.`);
  }
  const pair = [BigInt(seed), 0n];
  if (prior === "normal") return Float32Array.from(normal(pair, latentDim));
  if (prior === "uniform") return Float32Array.from(uniform(pair, latentDim), (each) => 2 * each - 1);
  const [place] = uniform(pair, 1);
  const behind = foldIn(pair, 1);
  const categorical = /^categorical_([1-9]\d*)$/.exec(prior);
  if (categorical) {
    const count = Number(categorical[1]);
    const chosen = Math.floor(fround(count * place));
    const classes = Array.from({ length: count }, (_, index) => Number(index === chosen));
    return Float32Array.from([...classes, ...normal(behind, latentDim - count)]);
  }
  const noise = normal(behind, 2);
  if (prior === "gaussian_mixture") {
    const angle = fround(fround((2 * Math.PI) / 10) * Math.floor(fround(10 * place)));
    const radius = fround(fround(1.4) + fround(fround(0.5) * noise[0]));
    const offset = fround(fround(0.1) * noise[1]);
    const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
    return Float32Array.of(radius * cosine - offset * sine, radius * sine + offset * cosine);
  }
  if (prior === "swiss_roll") {
    const along = fround(Math.sqrt(place));
    const angle = fround(fround(4 * Math.PI) * along);
    const spiral = [Math.cos(angle), Math.sin(angle)];
    return Float32Array.from(spiral, (each, index) => 3 * along * each + fround(0.1) * noise[index]);
  }
  throw new RangeError(`Unknown prior ${prior}. Known: normal, uniform, gaussian_mixture, swiss_roll, categorical_K.`);
}

// The class that a conditional model draws for a seed where none is asked for; classPrior is "class_prior" of report.json.
export function labelOfSeed(seed, classPrior) {
  const spread = Number(BigInt.asUintN(64, BigInt.asUintN(64, BigInt(seed)) * 0x9e3779b97f4a7c15n) >> 11n) / 2 ** 53;
  let sum = 0;
  const below = classPrior.slice(0, -1).map((share) => (sum += share));
  return below.filter((edge) => edge <= spread).length;
}
