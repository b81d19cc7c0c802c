"""Makes the tiny T5 and Marian folders of tests/data/seq2seq and what transformers answers with them. Their weights are random: they
write nonsense, but a certain nonsense.

    pip install torch transformers sentencepiece protobuf
    python tests/seq2seq_reference.py
"""

import csv
import json
import pathlib
import shutil

import sentencepiece
import torch
from transformers import AutoTokenizer, MarianConfig, MarianMTModel, MarianTokenizer, T5Config, T5ForConditionalGeneration

HERE = pathlib.Path(__file__).parent
OUT = HERE / "data" / "seq2seq"
TEXTS = [
    "I am still waiting on my card?",
    "  What  can I do if my card still hasn't arrived after 2 weeks? ",
    "Ｆｕｌｌ width, naïve café, ½ and ﬁne — “quoted” 你好",
    "Help! I'm panicking... I lost my card.\nPlease answer",
    "a",
]


def pieces(name, vocabulary, **options):
    rows = list(csv.DictReader(open(HERE / "data" / "tickets.csv", newline="")))
    text = [row["text"] for row in rows]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text * 4), model_prefix=str(name), vocab_size=vocabulary, model_type="unigram",
        normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, **options,
    )
    pathlib.Path(f"{name}.vocab").unlink()


def ids(model, encoded):
    with torch.no_grad():
        written = model.generate(
            input_ids=torch.tensor([encoded]), attention_mask=torch.ones(1, len(encoded), dtype=torch.long), do_sample=False,
            num_beams=1, max_new_tokens=12, bad_words_ids=[[model.config.pad_token_id]],
        )
    return written[0].tolist()[1:]


def t5(answers):
    folder = OUT / "t5"
    folder.mkdir(parents=True)
    pieces(folder / "spiece", 200, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    torch.manual_seed(5)
    config = T5Config(
        vocab_size=256, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False, decoder_start_token_id=0, initializer_factor=3.0,
    )
    model = T5ForConditionalGeneration(config).eval()
    model.save_pretrained(folder, safe_serialization=True)
    # The same cut as a tokenizer.json, which most folders have instead.
    (OUT / "t5-fast").mkdir()
    AutoTokenizer.from_pretrained(folder, extra_ids=0).save_pretrained(OUT / "t5-fast")
    for path in (OUT / "t5-fast").iterdir():
        if path.name != "tokenizer.json":
            path.unlink()
    read = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    for text in TEXTS:
        encoded = read.encode(f"paraphrase: {text}") + [1]
        answers.append({"model": "t5", "prefix": "paraphrase: ", "text": text, "ids": encoded, "written": ids(model, encoded)})


def marian(answers):
    folder = OUT / "marian"
    folder.mkdir(parents=True)
    pieces(folder / "source", 200)
    shutil.copy(folder / "source.spm" if (folder / "source.spm").exists() else folder / "source.model", folder / "target.spm")
    (folder / "source.model").rename(folder / "source.spm")
    read = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = [read.id_to_piece(at) for at in range(read.get_piece_size())]
    # Numbers of their own, as Marian's vocabularies have.
    order = ["</s>", "<unk>"] + [name for name in reversed(names) if name not in ("<s>", "</s>", "<unk>")] + [">>fra<<", "<pad>"]
    vocabulary = {name: at for at, name in enumerate(order)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    torch.manual_seed(7)
    config = MarianConfig(
        vocab_size=len(order), d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=64, pad_token_id=vocabulary["<pad>"], eos_token_id=0,
        forced_eos_token_id=0, decoder_start_token_id=vocabulary["<pad>"], activation_function="swish", scale_embedding=True,
        init_std=0.6, decoder_vocab_size=len(order),
    )
    model = MarianMTModel(config).eval()
    # As old folders are: a pickle.
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    model.config.save_pretrained(folder)
    tokenizer = MarianTokenizer(
        source_spm=str(folder / "source.spm"), target_spm=str(folder / "target.spm"), vocab=str(folder / "vocab.json"),
        source_lang="en", target_lang="fr",
    )
    for text in TEXTS:
        for prefix in ["", ">>fra<< "]:
            encoded = tokenizer(prefix + text)["input_ids"]
            answers.append({"model": "marian", "prefix": prefix, "text": text, "ids": encoded, "written": ids(model, encoded)})
    (folder / "target.spm").unlink()


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    answers = []
    t5(answers)
    marian(answers)
    (OUT / "answers.json").write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n")
