"""A REST client of an exported model, of Python's standard library alone.

python rest.py http://localhost:8501 dcgan sample_png '{"seed": [7, 8]}' --save sample.png
python rest.py http://localhost:8501 sgan classify_png --file image_bytes picture.jpg
"""

import argparse
import base64
import json
import urllib.request


def predict(url, model, signature, inputs, seconds=60.0):
    """What a signature answers.

    Args:
        url: of the server, such as http://localhost:8501.
        model: its name; "dcgan/versions/3" or "dcgan/labels/stable" for one of its versions.
        signature: its name.
        inputs: {name: list of rows}; bytes are written as base64.
        seconds: to wait for.

    Returns:
        {output: list of rows}, bytes as bytes.

    Raises:
        RuntimeError: the server refuses, with its message.
    """
    body = {"signature_name": signature, "inputs": {name: list(map(_written, rows)) for name, rows in inputs.items()}}
    request = urllib.request.Request(f"{url}/v1/models/{model}:predict", json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            outputs = json.load(response)["outputs"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{error.code}: {json.load(error)['error']}") from None
    # A single output stands without its name, which the metadata has.
    if not isinstance(outputs, dict):
        outputs = {output_names(url, model, signature, seconds)[0]: outputs}
    return {name: list(map(_read, rows)) for name, rows in outputs.items()}


def output_names(url, model, signature, seconds=60.0):
    """Names of a signature's outputs, as the server's metadata have them."""
    with urllib.request.urlopen(f"{url}/v1/models/{model}/metadata", timeout=seconds) as response:
        definitions = json.load(response)["metadata"]["signature_def"]["signature_def"]
    return sorted(definitions[signature]["outputs"])


def _written(value):
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _read(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def main():
    """Asks once and prints the answer; the first image can be saved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("signature")
    parser.add_argument("inputs", nargs="?", default="{}", help='{"seed": [7, 8]}')
    parser.add_argument("--file", nargs=2, action="append", default=[], metavar=("INPUT", "PATH"))
    parser.add_argument("--save", metavar="PATH", help="where the first row of image_bytes goes")
    given = parser.parse_args()
    inputs = json.loads(given.inputs)
    for name, path in given.file:
        with open(path, "rb") as file:
            inputs.setdefault(name, []).append(file.read())
    outputs = predict(given.url, given.model, given.signature, inputs)
    if given.save:
        with open(given.save, "wb") as file:
            file.write(outputs["image_bytes"][0])
    print(json.dumps({name: [_shown(row) for row in rows] for name, rows in outputs.items()}))


def _shown(row):
    return f"{len(row)} bytes" if isinstance(row, bytes) else row


if __name__ == "__main__":
    main()
