"""Data of several fields: two collections, captions, sentences in two languages, and a user's own."""

import gzip
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gans as kg
from keras_gans.data import TextArray
from keras_gans.errors import UserError
from keras_gans.fields import Classes, Images, Points, Texts

REAL = Path(os.environ.get("TFDS_DATA_DIR", "")).parent


def grey(level, size=4):
    return Image.fromarray(np.full((size, size), level, "uint8"))


def folder_of(path, levels):
    path.mkdir(parents=True)
    for number, level in enumerate(levels):
        grey(level).save(path / f"{number:03d}.png")
    return path


def levels(batch):
    return np.round((np.asarray(batch)[:, 0, 0, 0] + 1.0) * 127.5).astype(int)


def batches(source, fields, count, **options):
    dataset = kg.data.to_dataset(source, fields=fields, repeat=True, **options)
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


# Two collections ------------------------------------------------------------------------------------------------


@pytest.fixture
def unpaired(tmp_path):
    a, b = folder_of(tmp_path / "a", range(7)), folder_of(tmp_path / "b", range(100, 111))
    return kg.data.open_source(f"{a} + {b}", image_size=4)


def test_two_folders_are_two_fields_with_rows_of_their_own(unpaired):
    assert unpaired.fields == {"image_a": Images((4, 4, 1)), "image_b": Images((4, 4, 1))}
    assert [len(column) for column in unpaired.columns.values()] == [7, 11]


def test_each_collection_has_epochs_and_an_order_of_its_own(unpaired):
    parts = zip(*batches(unpaired, ["image_a", "image_b"], 7 * 11, batch_size=1), strict=True)
    seen = [levels(np.concatenate(part)) for part in parts]
    for rows, count in zip(seen, (7, 11), strict=True):
        epochs = rows.reshape(-1, count)
        assert all(len(set(epoch)) == count for epoch in epochs), "an epoch shows every image once"
        assert len({tuple(epoch) for epoch in epochs}) == len(epochs), "every epoch has an order of its own"


def test_resuming_two_collections_sees_what_would_have_been_seen(unpaired):
    whole = batches(unpaired, ["image_a", "image_b"], 9, batch_size=3, seed=5)
    rest = batches(unpaired, ["image_a", "image_b"], 5, batch_size=3, seed=5, skip_batches=4)
    for first, second in zip(whole[4:], rest, strict=True):
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)


def test_one_pass_goes_once_through_the_larger_collection(unpaired):
    dataset = kg.data.to_dataset(unpaired, fields=["image_a", "image_b"], batch_size=3)
    assert len(list(dataset)) == 11 // 3


def test_the_order_of_the_first_collection_is_that_of_its_own_source(tmp_path, unpaired):
    alone = kg.data.open_source(tmp_path / "a", image_size=4)
    first = [batch[0] for batch in batches(unpaired, ["image_a", "image_b"], 6, batch_size=3)]
    np.testing.assert_array_equal(first, batches(alone, None, 6, batch_size=3))


def test_two_classes_of_one_source():
    source = kg.data.open_source("digits[3] + digits[8]")
    whole = kg.data.open_source("digits")
    for name, label in (("image_a", 3), ("image_b", 8)):
        np.testing.assert_array_equal(source.columns[name].values, whole.samples[whole.labels == label])


def test_train_a_and_train_b_are_two_collections(tmp_path):
    for name, values in (("trainA", range(3)), ("trainB", range(5)), ("testA", [9]), ("testB", [9, 8])):
        folder_of(tmp_path / name, values)
    source = kg.data.open_source(tmp_path, image_size=4)
    assert [len(column) for column in source.columns.values()] == [3, 5]
    test = kg.data.open_source(tmp_path, split="test", image_size=4)
    assert [len(column) for column in test.columns.values()] == [1, 2]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("digits[eleven] + digits", "'digits' has no class 'eleven'. .*It has: 0, 1"),
        ("digits + digts", "Unknown data set 'digts'.*'digits'"),
        ("digits + digits + digits", "written 'A . B'.*of 3"),
        ("ring + ring", "which holds points"),
    ],
)
def test_what_cannot_be_two_collections(source, message):
    with pytest.raises(UserError, match=message):
        kg.data.open_source(source)


def test_one_collection_does_not_serve_as_two():
    source = kg.data.open_source("digits")
    with pytest.raises(UserError, match="'image_a' and 'image_b' are two things, and 'digits'.*image.*'A . B'"):
        source.match(kg.schemes.CycleGAN.takes)
    labelled = kg.data.open_source("photographed_digits")
    # A pair has one label for both of its images.
    takes = kg.schemes.Pix2Pix.takes | {"label_a": (Classes,), "label_b": (Classes,)}
    assert [labelled.match(takes)[name] for name in ("label_a", "label_b")] == ["label", "label"]


def test_two_folders_that_belong_together_by_name(tmp_path):
    a, b = folder_of(tmp_path / "a", range(5)), folder_of(tmp_path / "b", range(100, 104))
    source = kg.data.open_source(f"{a} = {b}", image_size=4)
    for first, second in batches(source, ["image_a", "image_b"], 4, batch_size=2):
        np.testing.assert_array_equal(levels(first) + 100, levels(second))


# Captions -------------------------------------------------------------------------------------------------------


def captioned(tmp_path, rows, name="metadata.csv"):
    folder_of(tmp_path / "train", range(4))
    if name.endswith("csv"):
        lines = ["file_name,text", *(f'{file},"{text}"' for file, text in rows)]
    else:
        lines = [json.dumps({"file_name": file, "text": text, "other": 1}) for file, text in rows]
    (tmp_path / "train" / name).write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


ROWS = [("000.png", "black, small"), ("001.png", "grün"), ("001.png", "a second one"), ("003.png", "😀")]


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_captions_stay_with_their_images(tmp_path, name):
    source = kg.data.open_source(captioned(tmp_path, ROWS, name), image_size=4)
    assert source.fields == {"image": Images((4, 4, 1)), "text": Texts()}
    known = {}
    for file, text in ROWS:
        known.setdefault(int(file[:3]), set()).add(text)
    seen = {}
    for images, texts in batches(source, ["image", "text"], 40, batch_size=2):
        for level, text in zip(levels(images), texts, strict=True):
            seen.setdefault(int(level), set()).add(text.decode())
    assert seen == known, "every caption of an image is shown in some epoch, and no other image's"


def test_which_caption_is_shown_is_a_function_of_seed_epoch_and_row(tmp_path):
    source = kg.data.Source.of({"number": [0, 1, 2], "text": [["a", "b", "c", "d"]] * 3})

    def texts_of(count, **options):
        return [batch.tolist() for batch in batches(source, ["text"], count, batch_size=3, **options)]

    texts = texts_of(40, seed=7)
    assert texts[10:] == texts_of(30, seed=7, skip_batches=10)
    assert texts != texts_of(40, seed=8)
    counts = np.unique(np.ravel(texts), return_counts=True)[1]
    assert len(counts) == 4 and counts.min() > 15, "all are shown about equally often"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("000.png", "x"), ("nowhere.png", "y")], "name a file that is not there: line 3: nowhere.png"),
        ([("000.png", " ")], "have no text: line 2: 000.png"),
        ([], "has no rows"),
    ],
)
def test_a_table_with_a_mistake(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        kg.data.open_source(captioned(tmp_path, rows))


def test_a_line_of_json_ends_where_editors_end_it(tmp_path):
    folder_of(tmp_path / "train", range(2))
    texts = ["a red\u2028circle", "a\x85b"]
    lines = [json.dumps({"file_name": f"00{n}.png", "text": text}, ensure_ascii=False) for n, text in enumerate(texts)]
    (tmp_path / "train" / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = kg.data.open_source(tmp_path, image_size=4)
    assert [source.columns["text"].values[row] for row in range(2)] == [(text,) for text in texts]


@pytest.mark.parametrize("text", [None, ["x", "y"], 3])
def test_a_caption_is_a_text_and_not_what_becomes_of_something_else(tmp_path, text):
    with pytest.raises(UserError, match="Line 1 of .*: text is a text in quotation marks. Received: "):
        kg.data.open_source(captioned(tmp_path, [("000.png", text)], "metadata.jsonl"))


def test_a_table_without_its_columns(tmp_path):
    folder_of(tmp_path / "train", [1])
    (tmp_path / "train" / "metadata.csv").write_text("filename,caption\n000.png,x\n")
    with pytest.raises(UserError, match="has no column 'file_name'.*'filename'"):
        kg.data.open_source(tmp_path)


# Sentences ------------------------------------------------------------------------------------------------------


@pytest.fixture
def aligned(tmp_path):
    (tmp_path / "train.en").write_text("".join(f"line {n}\n" for n in range(10)), encoding="utf-8")
    with gzip.open(tmp_path / "train.de.gz", "wt", encoding="utf-8") as file:
        file.write("".join(f"Zeile für {n}\n" for n in range(10)))
    return f"{tmp_path}/train.en = {tmp_path}/train.de.gz"


def test_lines_of_two_files_belong_together(aligned):
    source = kg.data.open_source(aligned)
    assert source.fields == {"source": Texts(), "target": Texts()}
    for pair in batches(source, ["source", "target"], 12, batch_size=4):
        for english, german in zip(*pair, strict=True):
            assert german.decode() == f"Zeile für {english.decode().split()[1]}"


def test_large_texts_are_mapped(aligned, monkeypatch):
    from keras_gans.data import cache

    plain = batches(kg.data.open_source(aligned), ["target"], 3, batch_size=4)
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 10)
    source = kg.data.open_source(aligned)
    assert isinstance(source.columns["target"].values.characters, np.memmap)
    np.testing.assert_array_equal(plain, batches(source, ["target"], 3, batch_size=4))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (b"one\n", "has 10 lines and .* 1"),
        (b"\xff\xfe" * 10, "is not UTF-8 .*iconv"),
        (b"x\n" * 4 + b"\n" + b"x\n" * 5, r"1 of 10 lines are empty .*\(line 5\)"),
    ],
)
def test_files_that_do_not_fit(aligned, tmp_path, target, message):
    (tmp_path / "other").write_bytes(target)
    with pytest.raises(UserError, match=message):
        kg.data.open_source(f"{tmp_path}/train.en = {tmp_path}/other")


def test_a_file_that_is_not_there_is_named_with_the_nearest(aligned, tmp_path):
    with pytest.raises(UserError, match="There is no .*train.eng.*Did you mean .*train.en"):
        kg.data.check_source(f"{tmp_path}/train.eng = {tmp_path}/train.de.gz")


def test_the_split_stands_in_the_paths(aligned, tmp_path):
    source = kg.data.open_source(f"{tmp_path}/{{split}}.en = {tmp_path}/{{split}}.de.gz", split="train")
    assert len(source) == 10
    with pytest.raises(UserError, match="has one split, 'train'"):
        kg.data.open_source(aligned, split="test")


def test_texts_of_any_characters_come_back_as_they_were():
    texts = ["", "plain", "grün 😀", "日本語", "a" * 5000]
    array = TextArray.of([[text] for text in texts])
    assert [array[row][0] for row in range(len(texts))] == texts
    source = kg.data.Source.of({"text": texts[1:]})
    (batch,) = batches(source, None if "sample" in source.columns else ["text"], 1, batch_size=4, shuffle=False)
    assert [text.decode() for text in batch] == texts[1:]


# Anybody's own --------------------------------------------------------------------------------------------------


def test_arrays_become_fields_by_their_kind():
    source = kg.data.Source.of(
        {"view": np.zeros((6, 4, 4, 3), "uint8"), "place": np.zeros((6, 2), "float32"), "kind": np.arange(6) % 3}
    )
    assert source.fields["view"] == Images((4, 4, 3)) and source.fields["place"] == Points((2,))
    assert isinstance(source.fields["kind"], Classes) and source.fields["kind"].names == ("0", "1", "2")
    assert source.match({"place": (Points,), "label": (Classes,)}) == {"place": "place", "label": "kind"}
    with pytest.raises(UserError, match="'sample' of images or points.*several that could be .view, place."):
        source.match({"sample": (Images, Points)})
    with pytest.raises(UserError, match="'text' of texts is needed.*has none"):
        source.match({"text": (Texts,)})
    with pytest.raises(UserError, match="as many rows. Received: .*'a': 2, 'b': 3"):
        kg.data.Source.of({"a": np.zeros((2, 1), "float32"), "b": np.zeros((3, 1), "float32")})


def test_a_registered_source_opens_by_its_name():
    @kg.data.register_source("my_pairs")
    def my_pairs(*, split="train", **options):
        return kg.data.Source.of({"point": np.zeros((4, 2), "float32")}, name="my_pairs", split=split)

    kg.data.check_source("my_pairs")
    assert kg.data.open_source("my_pairs", split="test").split == "test"


def test_features_of_a_data_set_become_fields_by_their_kind(tmp_path):
    import tensorflow_datasets as tfds

    class TestOfEverything(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(4, 4, 1)),
                "species": tfds.features.ClassLabel(names=["ant", "bee"]),
                "captions": tfds.features.Sequence({"text": tfds.features.Text(), "id": np.int64}),
                "words": tfds.features.Translation(["de", "en"]),
                "place": tfds.features.Tensor(shape=(3,), dtype=np.float32),
                "id": tfds.features.Text(),
                "kind": tfds.features.Text(),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for n in range(5):
                captions = [{"text": f"{n} {k}", "id": k} for k in range(1 + n % 2)]
                yield (
                    n,
                    {
                        "image": np.full((4, 4, 1), n, "uint8"),
                        "species": n % 2,
                        "captions": captions,
                        "words": {"de": f"Zahl {n}", "en": f"number {n}"},
                        "place": np.full(3, n, "float32"),
                        "id": f"train_{n:05}",
                        "kind": "odd" if n % 2 else "even",
                    },
                )

    source = kg.data.open_source("test_of_everything", data_dir=tmp_path)
    # What only tells the rows apart is no caption.
    assert set(source.fields) == {"image", "place", "captions", "species", "source", "target", "kind"}
    assert source.labels.tolist() == [int(image[0, 0, 0]) % 2 for image in source.samples]
    for images, places, captions, german, english in batches(
        source, ["image", "place", "captions", "source", "target"], 5, batch_size=2
    ):
        for row in zip(levels(images), places[:, 0], captions, german, english, strict=True):
            number = int(row[0])
            assert int(row[1]) == number and row[2].decode().startswith(f"{number} ")
            assert (row[3].decode(), row[4].decode()) == (f"Zahl {number}", f"number {number}")


def test_batches_of_texts_run_without_python(aligned):
    dataset = kg.data.to_dataset(kg.data.open_source(aligned), fields=["source", "target"], batch_size=2, repeat=True)
    graph = tf.compat.v1.GraphDef.FromString(dataset._as_serialized_graph().numpy())
    names = {node.op for node in graph.node} | {node.op for f in graph.library.function for node in f.node_def}
    assert not {name for name in names if "PyFunc" in name}, (
        "a process whose endless data set runs Python hangs at its end"
    )


# Real data ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not (REAL / "multi30k").is_dir(), reason="no multi30k beside TFDS_DATA_DIR")
def test_multi30k():
    names = [next((REAL / "multi30k").glob(f"*val*{language}*")) for language in ("en", "de")]
    source = kg.data.open_source(f"{names[0]} = {names[1]}")
    assert len(source) == 1014


@pytest.mark.skipif(not (REAL / "emojione").is_dir(), reason="no emojione beside TFDS_DATA_DIR")
def test_emoji_in_two_styles():
    paired = kg.data.open_source(f"{REAL}/emojione/bw = {REAL}/emojione/color", image_size=32)
    assert len(paired) == 1403
    unpaired = kg.data.open_source(f"{REAL}/twemoji + {REAL}/emojione/color", image_size=32, channels=3)
    assert [len(column) for column in unpaired.columns.values()] == [3816, 1832]


@pytest.mark.skipif(not (REAL / "twemoji").is_dir(), reason="no twemoji beside TFDS_DATA_DIR")
def test_emoji_with_their_names():
    source = kg.data.open_source(REAL / "twemoji", image_size=16)
    assert len(source) == 3816 and source.fields["text"] == Texts()
