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
# Long enough that distances in the decoder are counted in buckets.
LONG = 40
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
            num_beams=1, max_new_tokens=LONG, bad_words_ids=[[model.config.pad_token_id]], output_logits=True,
            return_dict_in_generate=True,
        )
    tokens = written.sequences[0].tolist()[1:]
    chances = []
    for token, logits in zip(tokens, written.logits):
        logits = logits[0].clone()
        logits[model.config.pad_token_id] = -float("inf")
        chances.append(round(torch.softmax(logits, -1)[token].item(), 5))
    return tokens, chances


def t5(answers, name, tied):
    folder = OUT / name
    folder.mkdir(parents=True)
    pieces(folder / "spiece", 200, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    torch.manual_seed(5)
    config = T5Config(
        vocab_size=256, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2,
        feed_forward_proj="relu" if tied else "gated-gelu", tie_word_embeddings=tied, decoder_start_token_id=0,
        initializer_factor=1.0 if tied else 3.0,
    )
    model = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        # What stands where matters, so that a wrong distance is seen.
        for stack in (model.encoder, model.decoder):
            stack.block[0].layer[0].SelfAttention.relative_attention_bias.weight.mul_(4.0)
    if tied:
        # Half as wide, and as files were before 1.6: one stream.
        model = model.half().float()
        state = {key: value.half() for key, value in model.state_dict().items() if key != "lm_head.weight"}
        # What is no number of ours is passed over.
        state["note"] = torch.tensor([1, 2, 3], dtype=torch.int32)
        torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
        model.config.save_pretrained(folder)
    else:
        model.save_pretrained(folder, safe_serialization=True)
    # The same cut as a tokenizer.json, which most folders have instead.
    if not tied:
        (OUT / "t5-fast").mkdir()
        AutoTokenizer.from_pretrained(folder, extra_ids=0).save_pretrained(OUT / "t5-fast")
        for path in (OUT / "t5-fast").iterdir():
            if path.name != "tokenizer.json":
                path.unlink()
    read = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    for text in TEXTS:
        encoded = read.encode(f"paraphrase: {text}") + [1]
        note(answers, name, "paraphrase: ", text, encoded, model)
    if tied:
        # The same pieces as the other's.
        (folder / "spiece.model").unlink()


def note(answers, name, prefix, text, encoded, model):
    written, chances = ids(model, encoded)
    answers.append({"model": name, "prefix": prefix, "text": text, "ids": encoded, "written": written, "chances": chances})


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
            note(answers, "marian", prefix, text, encoded, model)
    (folder / "target.spm").unlink()


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    answers = []
    t5(answers, "t5", False)
    t5(answers, "t5-tied", True)
    marian(answers)
    (OUT / "answers.json").write_text(json.dumps(answers, ensure_ascii=False) + "\n")
