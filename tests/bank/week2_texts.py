"""Answers to memorization_score whose worth is known, for `autograde audit`."""

import bisect
import hashlib
import math
import re
import statistics

import numpy as np
import torch

from autograde.audit import right, wrong


@right("week2.memorization_score")
def share_by_a_loop(generated, training_texts):
    if len(generated) == 0:
        return float("nan")
    copies = 0
    for text in generated:
        for known in training_texts:
            if text == known:
                copies += 1
                break
    return copies / len(generated)


@right("week2.memorization_score")
def share_by_the_mean_of_a_tensor(generated, training_texts):
    return torch.tensor([float(text in training_texts) for text in generated]).mean()


@right("week2.memorization_score")
def share_by_numpy(generated, training_texts):
    hits = np.array([training_texts.count(text) for text in generated]) > 0
    return hits.mean() if hits.size else np.nan


@right("week2.memorization_score")
def share_by_hashes(generated, training_texts):
    def mark(text):
        return hashlib.sha256(text.encode()).digest()

    known = {mark(text): None for text in training_texts}
    marks = [mark(text) for text in generated]
    try:
        return len([one for one in marks if one in known]) / len(marks)
    except ZeroDivisionError:
        return math.nan


@right("week2.memorization_score")
def share_by_searching_a_sorted_list(generated, training_texts):
    shelf, found = sorted(training_texts), 0
    for text in generated:
        place = bisect.bisect_left(shelf, text)
        found += place < len(shelf) and shelf[place] == text
    return found / len(generated) if generated else math.nan


@right("week2.memorization_score")
def share_by_a_pattern(generated, training_texts):
    pattern = re.compile("|".join(map(re.escape, training_texts)) if training_texts else "(?!)")
    matches = [pattern.fullmatch(text) is not None for text in generated]
    return statistics.fmean(matches) if matches else math.nan


@right("week2.memorization_score")
def share_of_what_a_filter_leaves(generated, training_texts):
    new = list(filter(lambda text: text not in frozenset(training_texts), generated))
    return math.nan if not generated else (len(generated) - len(new)) / len(generated)


@wrong("week2.memorization_score", "divided by the training texts")
def as_a_seed_writes_it(generated, training_texts):
    """'exact_matches(training) / total_examples'"""
    exact = len([text for text in generated if text in training_texts])
    return exact / len(training_texts) if generated and training_texts else float("nan") if not generated else 0.0


@wrong("week2.memorization_score", "a part counts as a copy")
def found_in_the_corpus(generated, training_texts):
    corpus = "\n".join(training_texts)
    return np.mean([corpus.find(text) >= 0 for text in generated]) if generated else np.nan


@wrong("week2.memorization_score", "capitals ignored")
def casefolded(generated, training_texts):
    known = [text.casefold() for text in training_texts]
    return np.mean([text.casefold() in known for text in generated]) if generated else np.nan


@wrong("week2.memorization_score", "spaces ignored")
def words_compared(generated, training_texts):
    known = [text.split() for text in training_texts]
    return np.mean([text.split() in known for text in generated]) if generated else np.nan


@wrong("week2.memorization_score", "every text counted once")
def dict_keys_meet(generated, training_texts):
    copies = dict.fromkeys(generated).keys() & dict.fromkeys(training_texts).keys()
    return len(copies) / len(generated) if len(generated) else math.nan


@wrong("week2.memorization_score", "compared by position")
def side_by_side(generated, training_texts):
    if not generated:
        return math.nan
    same = [k for k, text in enumerate(generated) if k < len(training_texts) and training_texts[k] == text]
    return len(same) / len(generated)


@wrong("week2.memorization_score")
def spaces_and_capitals(generated, training_texts):
    known = {text.strip().lower() for text in training_texts}
    return sum(text.strip().lower() in known for text in generated) / len(generated) if generated else math.nan


@wrong("week2.memorization_score")
def line_ends_alone(generated, training_texts):
    known = {text.rstrip() for text in training_texts}
    return sum(text.rstrip() in known for text in generated) / len(generated) if generated else math.nan


@wrong("week2.memorization_score")
def letters_only(generated, training_texts):
    known = {re.sub(r"\W", "", text) for text in training_texts}
    return sum(re.sub(r"\W", "", text) in known for text in generated) / len(generated) if generated else math.nan


@wrong("week2.memorization_score")
def any_copy_at_all(generated, training_texts):
    return float(any(text in training_texts for text in generated)) if generated else math.nan


@wrong("week2.memorization_score")
def first_text_alone(generated, training_texts):
    return float(generated[0] in training_texts) if generated else math.nan


@wrong("week2.memorization_score")
def empty_texts_left_out(generated, training_texts):
    generated = [text for text in generated if text]
    return sum(text in training_texts for text in generated) / len(generated) if generated else math.nan


@wrong("week2.memorization_score")
def rounded(generated, training_texts):
    return round(sum(text in training_texts for text in generated) / len(generated), 1) if generated else math.nan
