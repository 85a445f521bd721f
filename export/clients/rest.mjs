// A REST client of an exported model, for Node 18 or newer and for browsers; nothing to install.
//
// node rest.mjs http://localhost:8501 dcgan sample_png '[{"seed": 7}]' sample.png
// node rest.mjs http://localhost:8501 sgan classify_png picture.jpg

/**
 * What a signature answers.
 *
 * Whole numbers beyond 2 ** 53 are not exact in JavaScript, and so not in what it writes: seeds stay below.
 *
 * @param {string} url Of the server, such as http://localhost:8501.
 * @param {string} model Its name; "dcgan/versions/3" or "dcgan/labels/stable" for one of its versions.
 * @param {string} signature Its name.
 * @param {object[]} instances Rows, each an object of inputs; bytes as Uint8Array.
 * @returns {Promise<any[]>} A row each: of one output its value, of several an object; bytes as Uint8Array.
 */
export async function predict(url, model, signature, instances) {
  const body = JSON.stringify({ signature_name: signature, instances: instances.map(written) });
  const response = await fetch(`${url}/v1/models/${model}:predict`, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status}: ${answer.error}`);
  return answer.predictions.map(read);
}

function written(row) {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? { b64: toBase64(value) } : value]),
  );
}

function read(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if (typeof value.b64 === "string" && Object.keys(value).length === 1) return fromBase64(value.b64);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, read(each)]));
}

function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function shown(value) {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shown(each)]));
}

if (typeof process !== "undefined" && import.meta.url === `file://${process.argv[1]}`) {
  const { readFile, writeFile } = await import("node:fs/promises");
  const [url, model, signature, asked, save] = process.argv.slice(2);
  const isRows = asked.trimStart().startsWith("[");
  const instances = isRows ? JSON.parse(asked) : [{ image_bytes: new Uint8Array(await readFile(asked)) }];
  const rows = await predict(url, model, signature, instances);
  if (save) await writeFile(save, rows[0] instanceof Uint8Array ? rows[0] : rows[0].image_bytes);
  console.log(JSON.stringify(rows.map(shown)));
}
