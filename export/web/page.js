// The page of an exported model. What it offers follows from what the model's files take and give.
import { loadAndCompile, loadLiteRt, Tensor, Environment } from "./runtime/litert.js";
import { labelOfSeed, latents } from "./latents.js";
import { blend, fitted, seedOf, toLevels, toNumbers, tokensOf } from "./numbers.js";

const $ = (id) => document.getElementById(id);
const LARGEST_FILE_PIXELS = 2 ** 24;
const MOST_POINTS = 5000;
// Of a canvas with points; a picture's canvas has its pixels.
const PLOT_SIZE = 640;
const STEPS_BETWEEN = 20;
const TASKS = {
  classifier: "Classify",
  encoder: "Encode, and draw it again",
  autoencoder: "Reconstruct",
  a_to_b: "Translate from A to B",
  b_to_a: "Translate from B to A",
};
let manifest;
let vocabulary = null;
let environment;
const loaded = {};
let picture = null;

function say(text, isWrong = false) {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", isWrong);
}

// Compiled at its first use: a page of several models shows the first picture before it fetches the others.
function model(part) {
  loaded[part] ??= (async () => {
    const answer = await fetch(manifest.parts[part].file);
    if (!answer.ok) throw new Error(`${manifest.parts[part].file} cannot be had: ${answer.status}.`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return loadAndCompile(bytes, { accelerator: "wasm", environment });
  })().catch((error) => {
    delete loaded[part];
    throw error;
  });
  return loaded[part];
}

// {output: typed array} of one row. LiteRT's tensors are freed by hand.
async function run(part, row) {
  const compiled = await model(part);
  const { inputs } = manifest.parts[part];
  const given = Object.fromEntries(
    Object.entries(row).map(([name, values]) => [name, new Tensor(values, [1, ...inputs[name]], environment)]),
  );
  try {
    const answered = await compiled.run(given);
    const read = {};
    for (const [name, tensor] of Object.entries(answered)) {
      read[name] = tensor.toTypedArray();
      tensor.delete();
    }
    return read;
  } finally {
    Object.values(given).forEach((tensor) => tensor.delete());
  }
}

// What is asked for while something runs waits for it; of several only the last is run.
function latestOnly(work) {
  let isRunning = false;
  let waiting = null;
  return async function ask(...given) {
    if (isRunning) {
      waiting = given;
      return;
    }
    isRunning = true;
    try {
      await work(...given);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error), true);
      console.error(error);
    } finally {
      isRunning = false;
      const next = waiting;
      waiting = null;
      if (next) ask(...next);
    }
  };
}

function offerDownload(canvas, words) {
  canvas.setAttribute("aria-label", words);
  document.querySelectorAll(`[data-download="${canvas.id}"]`).forEach((button) => (button.disabled = false));
}

function show(canvas, numbers, [height, width, channels], words) {
  if (!numbers.every(Number.isFinite)) throw new Error("The model answered with numbers that are no picture.");
  canvas.width = width;
  canvas.height = height;
  canvas.style.aspectRatio = `${width} / ${height}`;
  canvas.getContext("2d").putImageData(new ImageData(toLevels(numbers, channels), width, height), 0, 0);
  offerDownload(canvas, words);
}

// Points by their first two coordinates; `marked`, where there is one, is larger.
function plot(canvas, points, words, marked = null) {
  const all = marked ? [...points, marked] : points;
  if (!all.flat().every(Number.isFinite)) throw new Error("The model answered with numbers that are no points.");
  canvas.width = canvas.height = PLOT_SIZE;
  canvas.classList.add("plot");
  const { ends, at } = fitted(all, PLOT_SIZE, 56);
  const context = canvas.getContext("2d");
  // On white, as paper shows it, also where the page is dark: it may be kept as a file.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, PLOT_SIZE, PLOT_SIZE);
  context.strokeStyle = "#b6bac1";
  context.strokeRect(38.5, 38.5, PLOT_SIZE - 77, PLOT_SIZE - 77);
  context.fillStyle = "#4a4f57";
  context.font = "18px system-ui, sans-serif";
  const [[left, right], [low, high]] = ends.map((pair) => pair.map((number) => number.toFixed(2)));
  context.textAlign = "center";
  context.fillText(`${left} to ${right}`, PLOT_SIZE / 2, PLOT_SIZE - 14);
  context.save();
  context.translate(22, PLOT_SIZE / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(`${low} to ${high}`, 0, 0);
  context.restore();
  const dot = (point, radius, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(...at(point), radius, 0, 2 * Math.PI);
    context.fill();
  };
  points.forEach((point) => dot(point, 4, "rgb(11 92 173 / 60%)"));
  if (marked) dot(marked, 10, "#c62828");
  offerDownload(canvas, words);
}

const takes = (name) => name in manifest.parts.generator.inputs;
const makesPoints = () => "point" in manifest.parts.generator.outputs;

// The class of a select, or that which the model draws for a seed.
function labelFor(select, seed) {
  if (select.value !== "") return Number(select.value);
  return labelOfSeed(seed, manifest.class_prior);
}

function className(label) {
  return manifest.class_names?.[label] ?? String(label);
}

function seedIn(input) {
  try {
    const seed = seedOf(input.value);
    input.removeAttribute("aria-invalid");
    return seed;
  } catch (error) {
    input.setAttribute("aria-invalid", "true");
    throw error;
  }
}

// What else than latents the generator takes: {row: its arrays, words: what a person calls them, name: of a file}.
function conditions(classes, text, seed) {
  const found = { row: {}, words: "", name: "" };
  if (takes("label")) {
    const label = labelFor(classes, seed);
    found.row.label = Int32Array.of(label);
    found.words = `, class ${className(label)}`;
    found.name = `-class-${label}`;
  }
  if (takes("tokens")) {
    found.row.tokens = tokensIn(text);
    found.words = `, "${text.value.trim()}"`;
  }
  return found;
}

// The numbers of a text's words; says which of them the model has never read.
function tokensIn(input) {
  const { tokens, unknown, count } = tokensOf(input.value, vocabulary, manifest.tokenizer);
  const told = [];
  if (unknown.length) told.push(`Never read in training: ${unknown.slice(0, 8).join(", ")}.`);
  if (count > tokens.length) told.push(`Only the first ${tokens.length} of ${count} are read.`);
  $("text-help").textContent = told.join(" ") || textHelp();
  return tokens;
}

const textHelp = () => `It knows ${vocabulary.size - 2} ${manifest.tokenizer.level}s; a text has ${manifest.tokenizer.length} at the most.`;

const madeOf = async (z, row) => run("generator", { z, ...row });

async function generate(canvas, z, row, words, caption = "") {
  const { image } = await madeOf(z, row);
  show(canvas, image, manifest.parts.generator.outputs.image, words);
  const below = $(`${canvas.id}-caption`);
  if (below && caption) below.textContent = caption;
}

async function pointOf(z, row) {
  const { point } = await madeOf(z, row);
  return Array.from(point);
}

function countIn(input) {
  const count = Number(input.value);
  if (!Number.isInteger(count) || count < 1 || count > MOST_POINTS) {
    input.setAttribute("aria-invalid", "true");
    throw new RangeError(`Points are a number from 1 to ${MOST_POINTS}. Received: ${input.value || "nothing"}.`);
  }
  input.removeAttribute("aria-invalid");
  return count;
}

const nextSeed = (seed, steps = 1) => BigInt.asIntN(64, seed + BigInt(steps));

async function drawPoints(seed, start) {
  const { size, prior } = manifest.latents;
  const count = countIn($("count"));
  const points = [];
  for (let place = 0; place < count; place++) {
    const own = nextSeed(seed, place);
    points.push(await pointOf(latents(own, size, prior), conditions($("class"), $("text"), own).row));
  }
  const words = `${count} points of the seeds from ${seed} on`;
  plot($("drawn"), points, words);
  $("drawn").dataset.name = `seed-${seed}-points-${count}`;
  $("drawn-caption").textContent = `${words}.`;
  say(`${words}, in ${Math.round(performance.now() - start)} ms.`);
}

const draw = latestOnly(async () => {
  const seed = seedIn($("seed"));
  const start = performance.now();
  if (makesPoints()) return drawPoints(seed, start);
  const { size, prior } = manifest.latents;
  const { row, words: besides, name } = conditions($("class"), $("text"), seed);
  const words = `The sample of seed ${seed}${besides}`;
  await generate($("drawn"), latents(seed, size, prior), row, words, `Seed ${seed}${besides}`);
  $("drawn").dataset.name = `seed-${seed}${name}`;
  say(`${words}, in ${Math.round(performance.now() - start)} ms.`);
});

const drawBetween = latestOnly(async () => {
  const [from, to] = [seedIn($("from")), seedIn($("to"))];
  const percent = Number($("fraction").value);
  $("far").textContent = `${percent} %`;
  const { size, prior } = manifest.latents;
  const { row, words: besides } = conditions($("between-class"), $("between-text"), from);
  const ends = [latents(from, size, prior), latents(to, size, prior)];
  const words = `${percent} % of the way from seed ${from} to seed ${to}${besides}`;
  const at = (fraction) => blend(...ends, fraction, prior);
  if (makesPoints()) {
    const way = [];
    for (let step = 0; step <= STEPS_BETWEEN; step++) way.push(await pointOf(at(step / STEPS_BETWEEN), row));
    plot($("blended"), way, words, await pointOf(at(percent / 100), row));
    $("blended-caption").textContent = `${words}.`;
  } else {
    await generate($("blended"), at(percent / 100), row, words, `${words}.`);
  }
  $("blended").dataset.name = `seed-${from}-to-${to}-at-${percent}`;
});

async function read(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name} is no picture that this browser can read.`);
  }
  if (bitmap.width * bitmap.height > LARGEST_FILE_PIXELS) {
    throw new Error(`${file.name} has more than ${LARGEST_FILE_PIXELS.toLocaleString("en")} pixels.`);
  }
  return bitmap;
}

function asNetworkSees([height, width, channels]) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  // Transparency is dropped: on white, as paper shows it.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  return toNumbers(context.getImageData(0, 0, width, height).data, channels);
}

function listShares(probabilities) {
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 5);
  $("shares").replaceChildren(
    ...order.map((label) => {
      const item = document.createElement("li");
      const bar = document.createElement("meter");
      const words = `${className(label)}: ${(100 * probabilities[label]).toFixed(1)} %`;
      bar.value = probabilities[label];
      bar.setAttribute("aria-hidden", "true");
      item.append(words, bar);
      return item;
    }),
  );
  return `${className(order[0])}, ${(100 * probabilities[order[0]]).toFixed(1)} %`;
}

const answerOwn = latestOnly(async (file) => {
  if (file) picture = await read(file);
  if (!picture) return;
  const part = $("task").value;
  const { inputs, outputs } = manifest.parts[part];
  const image = asNetworkSees(inputs.image);
  show($("given"), image, inputs.image, "Your picture at the network's size");
  $("shares").replaceChildren();
  $("code").hidden = true;
  const answer = await run(part, { image });
  let words = "Done.";
  let isShown = false;
  if (answer.probabilities) words = `Most likely ${listShares(answer.probabilities)}.`;
  if (answer.z) {
    $("numbers").textContent = Array.from(answer.z, (number) => number.toFixed(3)).join(" ");
    $("code").hidden = false;
    words = `Encoded as ${answer.z.length} numbers.`;
    if (canDecode(outputs)) {
      await generate($("made"), answer.z, {}, "What the model draws of the latent of your picture");
      isShown = true;
    }
  }
  if (answer.image) {
    show($("made"), answer.image, outputs.image, `${TASKS[part]}: the answer`);
    isShown = true;
  }
  $("made").dataset.name = part;
  $("made-figure").hidden = $("made-download").hidden = !isShown;
  say(words);
});

function canDecode(outputs) {
  const generator = manifest.parts.generator;
  const takesOnlyLatents = generator && Object.keys(generator.inputs).join() === "z";
  return takesOnlyLatents && !makesPoints() && String(generator.inputs.z) === String(outputs.z);
}

function download(canvas) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${manifest.name}-${canvas.dataset.name}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }, "image/png");
}

function offerTexts() {
  document.querySelectorAll("[data-texts]").forEach((each) => (each.hidden = false));
  $("captions").append(...manifest.captions.map((caption) => new Option(caption)));
  for (const id of ["text", "between-text"]) $(id).value = manifest.captions[0] ?? "";
  $("text-help").textContent = textHelp();
}

async function readVocabulary() {
  const answer = await fetch("vocabulary.txt");
  if (!answer.ok) throw new Error(`vocabulary.txt cannot be had: ${answer.status}.`);
  const lines = (await answer.text()).split("\n").slice(0, -1);
  return new Map(lines.map((word, number) => [word, number]));
}

function offer() {
  const { parts } = manifest;
  document.title = $("title").textContent = manifest.name;
  $("about").textContent =
    `A ${manifest.scheme} after ${manifest.step.toLocaleString("en")} steps. It runs in this browser; no picture leaves this device.`;
  document.querySelectorAll("[data-download]").forEach((button) => {
    button.disabled = true;
    button.addEventListener("click", () => download($(button.dataset.download)));
  });
  if (parts.generator) {
    $("draw").hidden = $("between").hidden = false;
    if (takes("tokens")) offerTexts();
    if (makesPoints()) {
      document.querySelectorAll("[data-points]").forEach((each) => (each.hidden = false));
      $("seed-help").textContent = "A whole number. Points are those of the seeds from it on, by their first two coordinates.";
    }
    if (takes("label")) {
      const names = manifest.class_names ?? [];
      for (const select of [$("class"), $("between-class")]) {
        if (manifest.class_prior) select.append(new Option("As the seed has it", ""));
        select.append(...names.map((name, label) => new Option(name, label)));
        select.closest("[data-classes]").hidden = false;
      }
    }
    $("draw-form").addEventListener("submit", (event) => {
      event.preventDefault();
      draw();
    });
    for (const id of ["class", "count", "text"]) $(id).addEventListener("change", () => draw());
    $("next").addEventListener("click", () => {
      try {
        $("seed").value = String(nextSeed(seedIn($("seed")), makesPoints() ? countIn($("count")) : 1));
        draw();
      } catch (error) {
        say(error.message, true);
      }
    });
    $("between-form").addEventListener("submit", (event) => event.preventDefault());
    for (const id of ["from", "to", "between-class", "between-text"]) $(id).addEventListener("change", () => drawBetween());
    $("fraction").addEventListener("input", () => drawBetween());
  }
  const tasks = Object.keys(TASKS).filter((part) => part in parts);
  if (tasks.length) {
    $("own").hidden = false;
    $("task").append(...tasks.map((part) => new Option(TASKS[part], part)));
    $("task-field").hidden = tasks.length === 1;
    $("file").addEventListener("change", () => $("file").files[0] && answerOwn($("file").files[0]));
    $("task").addEventListener("change", () => answerOwn());
    $("own-form").addEventListener("submit", (event) => event.preventDefault());
  }
}

try {
  const answer = await fetch("model.json");
  if (!answer.ok) throw new Error(`model.json cannot be had: ${answer.status}.`);
  manifest = await answer.json();
  if (manifest.tokenizer) vocabulary = await readVocabulary();
  offer();
  // One thread: several need headers that a plain server does not send.
  const litert = await loadLiteRt("runtime/");
  environment = await Environment.create({ webGpuDevice: null });
  litert.setDefaultEnvironment(environment);
  say("Ready.");
  if (manifest.parts.generator) {
    await draw();
    await drawBetween();
  }
  document.body.dataset.ready = "true";
} catch (error) {
  console.error(error);
  say(`The model could not be loaded: ${error.message}`, true);
}
