"""Whether the models that Lapidary writes to be taken away say in their own libraries what Lapidary says of the same texts.
usage: exported.py FOLDER     FOLDER has the encoder `m`, the folders `st`, `first`, `cls`, `lora`, `lora_cls`, `multi`, `head`, and beside each a table NAME.csv with the columns text, part, said, said_confidence.
Prints one line a folder, and ends with 1 where one differs by more than the table's four digits."""
import csv
import json
import sys
import warnings

import numpy as np
import torch
from safetensors.numpy import load_file

warnings.filterwarnings("ignore")
root = sys.argv[1]
base = f"{root}/m"
worst_of_all = 0.0


def rows(name):
    with open(f"{root}/{name}.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if row["said"]]


def softmax(logits):
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def compare(name, labels, probabilities, table):
    global worst_of_all
    worst, wrong = 0.0, 0
    for row, p in zip(table, probabilities):
        at = int(p.argmax())
        wrong += labels[at] != row["said"]
        worst = max(worst, abs(float(p[at]) - float(row["said_confidence"])))
    print(f"{name}: {len(table)} texts, {wrong} said otherwise, {worst:.2e} apart at most")
    worst_of_all = max(worst_of_all, worst, float(wrong))


def texts(table):
    return [row["text"] for row in table]


def tokens(folder, table):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)(texts(table), padding=True, truncation=True, max_length=24, return_tensors="pt")


def mean(model, batch):
    said, mask = model(**batch).last_hidden_state, batch["attention_mask"].unsqueeze(-1)
    return torch.nn.functional.normalize((said * mask).sum(1) / mask.sum(1))


with torch.no_grad():
    from peft import PeftModel
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression
    from transformers import AutoModel, AutoModelForSequenceClassification

    for name in ["st", "first"]:
        table = rows(name)
        logits = SentenceTransformer(f"{root}/{name}", device="cpu").encode(texts(table))
        compare(f"{name} (sentence-transformers)", json.load(open(f"{root}/{name}/labels.json")), softmax(logits), table)

    table = rows("cls")
    model = AutoModelForSequenceClassification.from_pretrained(f"{root}/cls").eval()
    labels = [model.config.id2label[at] for at in range(model.config.num_labels)]
    compare("cls (transformers)", labels, softmax(model(**tokens(f"{root}/cls", table)).logits.numpy()), table)

    table = rows("lora")
    model = PeftModel.from_pretrained(AutoModel.from_pretrained(base), f"{root}/lora").eval()
    heads = load_file(f"{root}/lora/heads.safetensors")
    logits = mean(model, tokens(base, table)).numpy() @ heads["category.weight"].T + heads["category.bias"]
    compare("lora (peft)", json.load(open(f"{root}/lora/labels.json"))["category"], softmax(logits), table)

    table = rows("lora_cls")
    labels = json.load(open(f"{root}/lora_cls/labels.json"))
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(labels))
    model = PeftModel.from_pretrained(model, f"{root}/lora_cls").eval()
    compare("lora_cls (peft with its classifier)", labels, softmax(model(**tokens(base, table)).logits.numpy()), table)

    table = rows("multi")
    heads = load_file(f"{root}/multi/heads.safetensors")
    out = SentenceTransformer(f"{root}/multi", device="cpu").encode(texts(table))
    labels = json.load(open(f"{root}/multi/labels.json"))["category"]
    compare("multi (sentence-transformers, several heads)", labels, softmax(out @ heads["category.weight"].T + heads["category.bias"]), table)

    # Of samples that are learned from, what is written was said by heads that had not seen them.
    table = [row for row in rows("head") if row["part"] != "train"]
    file, head = load_file(f"{root}/head/head.safetensors"), LogisticRegression()
    head.coef_, head.intercept_, head.n_features_in_ = file["coef"], file["intercept"], file["coef"].shape[1]
    head.classes_ = np.array(json.load(open(f"{root}/head/labels.json")))
    out = SentenceTransformer(base, device="cpu").encode(texts(table), normalize_embeddings=True)
    compare("head (scikit-learn)", list(head.classes_), head.predict_proba(out), table)

sys.exit(worst_of_all > 6e-5 + 1e-5)
