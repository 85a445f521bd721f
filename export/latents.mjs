// Latents from seeds, as the exported model's `sample` draws them: no library, in any browser or Node.
//
//     import { latents } from "./latents.mjs";
//     const z = latents(7, 100);                      // Float32Array of 100 numbers from N(0, 1)
//     const z = latents(7, 12, "categorical_10");     // see "latents" in report.json for the prior and the size
//
// A seed is a whole number of 64 bits. A JavaScript number holds those up to 2^53 - 1 exactly: pass a BigInt, 7n, for any
// beyond; a larger number is refused, as it may be another seed than was written.
//
// The bits are Philox4x32-10. Normal numbers are made of them by Box and Muller, with the logarithm, sine and cosine of
// float32 that glibc has from Arm's optimized routines: other libraries round one in a hundred the other way. So latents
// are, bit for bit, those of TensorFlow on Linux with glibc 2.28 or later; priors of the plane, which TensorFlow computes
// by functions of its own, to a few units in the last place.

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

// glibc's tables: of each sixteenth of the numbers from 0.7 to 1.4 the inverse and the logarithm; and the polynomials.
const INVERSES = [
  1.398907162146528, 1.3403141896637998, 1.286432210124115, 1.2367150214269895,
  1.1906977166711752, 1.1479821020556429, 1.1082251448272158, 1.0711297413057381,
  1.036437278977283, 1.0, 0.9492859795739057, 0.8951049428609004,
  0.8476821620351103, 0.8050314851692001, 0.7664671008843108, 0.731428603316328,
];
const LOGARITHMS = [
  -0.33569133332882284, -0.2929040563774074, -0.2518726580937369, -0.21245868807117255,
  -0.17453945183745634, -0.1380057072319758, -0.10275976698545139, -0.06871392447020525,
  -0.0357891387398228, 0.0, 0.05204517742929496, 0.11081431298787942,
  0.1652495223695143, 0.21687389031699977, 0.2659635028121397, 0.3127556664073557,
];
const OF_LOGARITHM = [-0.25089342214237154, 0.333456765744066, -0.4999997485802103];
const OF_SINE = [-0.16666654943701084, 0.008332178146138854, -0.00019517298981385725];
const OF_COSINE = [-0.49999999725108224, 0.041666623324344516, -0.001388676379437604, 2.4390450703564542e-05];

const view = new DataView(new ArrayBuffer(4));

// glibc's logf of a float32 from (0, 1).
function logarithm(x) {
  view.setFloat32(0, x);
  const whole = view.getUint32(0);
  const above = (whole - 0x3f330000) | 0;
  view.setUint32(0, (whole - (above & 0xff800000)) >>> 0);
  const part = (above >>> 19) & 15;
  const r = view.getFloat32(0) * INVERSES[part] - 1;
  const first = LOGARITHMS[part] + (above >> 23) * Math.LN2;
  const [a, b, c] = OF_LOGARITHM;
  return fround((a * (r * r) + (b * r + c)) * (r * r) + (first + r));
}

// glibc's sinf and cosf of a float32 from [0, 2 pi).
function sineAndCosine(angle) {
  const quarter = angle < fround(Math.PI / 4) ? 0 : Math.floor(angle * (2 / Math.PI) + 0.5);
  const x = angle - quarter * (Math.PI / 2);
  const [square, cube, fourth] = [x * x, x * (x * x), x * x * (x * x)];
  const sine = x + cube * OF_SINE[0] + cube * square * (OF_SINE[1] + square * OF_SINE[2]);
  const [a, b, c, d] = OF_COSINE;
  const cosine = 1 + square * a + fourth * b + fourth * square * (c + square * d);
  // A quarter of a turn further the sine is what the cosine was, and the cosine less what the sine was.
  const turned = [sine, cosine, -sine, -cosine].map(fround);
  return [turned[quarter % 4], turned[(quarter + 1) % 4]];
}

export function normal(pair, count) {
  const places = uniform(pair, count + (count % 2));
  const drawn = [];
  for (let index = 0; index < places.length; index += 2) {
    const length = fround(Math.sqrt(-2 * logarithm(Math.max(places[index], fround(1e-7)))));
    const [sine, cosine] = sineAndCosine(fround(2 * Math.PI * places[index + 1]));
    drawn.push(fround(length * sine), fround(length * cosine));
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
