"""A model of names: what it keeps of them, what it says of new ones, and how much it counts."""

import numpy as np
import pytest
import tensorflow as tf

from components.naming.learning import FEWEST_NAMES, learn_names, learn_vocabulary, name_evidence
from components.naming.model import DOUBT, alone_key, factors, grams, heard, shares
from components.naming.own_words import without_own_words
from components.naming.weighing import fit_name_weight
from schema.product_names import MOST_CHARACTERS, plain

HEAD = "article_type"
KINDS = ("shirt", "watch", "shoe")
COUNTS = [40, 40, 40]
PRIORS = shares(np.array(COUNTS))


@pytest.fixture(scope="module")
def model():
    """Learnt from names of three kinds, of which a rare one is the name of a single product."""
    names = [f"brand{i % 7} {kind} nr{i}" for i in range(40) for kind in KINDS]
    labels = np.tile(np.arange(3), 40)
    names.append("unrepeatable")
    return learn_names(names, names, {HEAD: np.append(labels, 0)}, {HEAD: COUNTS})


def evidence(model, *names):
    return name_evidence(model, [plain(name) for name in names], [HEAD])[HEAD]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("  Nike  T-Shirt, RED! ", "nike t shirt red"),
        ("ＮＩＫＥ ﬁne", "nike fine"),
        ("Straße", "strasse"),
        ("e\u0301te\u0301 \u202e\u0000", "été"),
        ("红色衬衫 シャツ", "红 色 衬 衫 シ ャ ツ"),
        ("빨간 셔츠", "빨간 셔츠"),
        ("कुर्ता", "कुर्ता"),
        ("<b>=1+1</b>", "b 1 1 b"),
        ("🎉 …", ""),
        ("x" * 600, "x" * MOST_CHARACTERS),
    ],
)
def test_plain(name, expected):
    """A name is read the same however it is written, in any script, and markup is words like any other."""
    assert plain(name) == expected
    assert plain(plain(name)) == plain(name)


def test_grams():
    """Words, and their pieces with the ends marked; nothing of an empty name."""
    found = [[text.decode() for text in row] for row in grams(tf.constant(["été ab", ""])).to_list()]
    threes, fours = ("#_ét", "#été", "#té_", "#é_a", "#_ab", "#ab_"), ("#_été", "#été_", "#té_a", "#é_ab", "#_ab_")
    assert found[0] == ["été", "ab", *threes, *fours]
    assert found[1] == []


def test_single_names_are_not_kept():
    """A word of fewer different names than enough is not in a model, however often one product repeats it."""
    often, enough = ["secret secret"] * 50, [f"shared n{i}" for i in range(FEWEST_NAMES)]
    found = learn_vocabulary([*often, *enough, *enough[1:], "rare a", ""])
    assert "shared" in found
    assert not [text for text in found if "sec" in text or "rar" in text]


def test_no_names():
    """A catalogue without names has no model of them."""
    assert learn_names([""] * 50, [""] * 50, {HEAD: np.zeros(50, np.int64)}, {HEAD: [50]}) is None


def test_what_names_say(model):
    """A known word tells its kind, alone or in a word made of it; no name hangs on others."""
    found = evidence(model, "red shirt", "brand1 shirts", "watch", "")
    assert found.argmax(axis=1).tolist()[:3] == [0, 0, 1]
    assert found[3].tolist() == [0, 0, 0]
    assert np.allclose(evidence(model, "watch"), found[2:3], atol=1e-6)


@pytest.mark.parametrize("name", ["", "туфли", "zzyzx qwv", "shirtless", "!!"])
def test_unknown_words_say_nothing(model, name):
    """Of a name of which training had no word there is no evidence, even where it has pieces of known ones."""
    told = model.evidence(tf.constant([plain(name)]))
    assert not told["name_known"][0] and not told[HEAD].numpy().any()


def test_a_name_that_leaves_its_type_out_is_none_of_another_type():
    """Where all shirts are called so and nothing else is, a name without that word tells next to nothing."""
    whole = [f"acme n{i}" for i in range(20)] + [f"acme shirt n{i}" for i in range(40)]
    bare = [without_own_words(name, ["Shirts"]) for name in whole]
    labels, counts = np.repeat([1, 0], [20, 40]), {HEAD: [40, 20]}
    by_whole, by_both = (
        name_evidence(learn_names(whole, others, {HEAD: labels}, counts), ["acme"], [HEAD])[HEAD][0]
        for others in (whole, bare)
    )
    assert by_whole[1] - by_whole[0] > 5 * abs(by_both[1] - by_both[0])


@pytest.mark.parametrize(
    ("name", "labels", "left"),
    [
        ("nike men t shirt red", ["Tshirts", "Topwear", "Apparel"], "nike men red"),
        ("acme watches", ["Watches"], "acme"),
        ("acme flip flop", ["Flip Flops", "", "Footwear"], "acme"),
        ("acme shoe box", ["Bags"], "acme shoe box"),
        ("", ["Bags"], ""),
    ],
)
def test_own_words(name, labels, left):
    """Words of a row's labels go, in one word or two, singular or plural; others stay."""
    assert without_own_words(name, labels) == left


def test_two_classes():
    """A head of two classes is learnt like any other, and one of a single class says nothing."""
    names = [f"{kind} n{i}" for i in range(20) for kind in KINDS[:2]]
    labels = np.tile([0, 1], 20)
    two = learn_names(names, names, {HEAD: labels, "one": labels * 0}, {HEAD: [20, 20], "one": [40]})
    told = two.evidence(tf.constant(["shirt", "watch"]))
    assert told[HEAD].numpy().argmax(axis=1).tolist() == [0, 1]
    assert told[alone_key(HEAD)].numpy().argmax(axis=1).tolist() == [0, 1]
    assert not told["one"].numpy().any()


def test_a_name_that_says_nothing_changes_nothing():
    """Evidence of 0 leaves a picture's probabilities as they are."""
    scores = np.array([[0.7, 0.2, 0.1]], np.float32)
    both, fits = heard(scores, factors(np.zeros((1, 3), np.float32), PRIORS, 1.5))
    assert np.allclose(both, scores, atol=1e-6)
    assert fits.numpy() == pytest.approx([1 - DOUBT])


def test_mixture():
    """The formula by hand: the product of both, and the picture alone as often as a name has nothing to do with it."""
    scores, z = np.array([[0.9, 0.1, 0.0]], np.float32), np.array([[-2.0, 3.0, 0.0]], np.float32)
    ratio = np.exp(z) / (PRIORS * np.exp(z)).sum()
    wanted = DOUBT * scores + (1 - DOUBT) * scores * ratio
    both, fits = heard(scores, factors(z, PRIORS, 1.0))
    assert np.allclose(both, wanted / wanted.sum(), atol=1e-5)
    assert fits.numpy() == pytest.approx(1 - DOUBT / wanted.sum(), abs=1e-5)


def test_a_sure_picture_is_not_outvoted():
    """A name may decide what a picture leaves open; a sure picture it contradicts, and fits less where it is surer."""
    z = np.array([[-9.0, 9.0, 0.0]], np.float32)
    pictures = [np.array([[sure, 1 - sure, 0]], np.float32) for sure in (0.6, 0.9, 0.9999)]
    both, fits = zip(*(heard(scores, factors(z, PRIORS, 1.0)) for scores in pictures), strict=True)
    assert [int(one.numpy().argmax()) for one in both] == [1, 1, 0]
    assert both[2][0, 0] > 0.99
    fitting = [float(one[0]) for one in fits]
    assert fitting == sorted(fitting, reverse=True) and fitting[0] > 0.5 > fitting[2]


def test_weight():
    """Names that are right count more than names drawn at random; without a row to go by they count as they are."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 400)
    scores = np.full((400, 3), 1 / 3, np.float32)
    right = np.eye(3, dtype=np.float32)[labels] * 2
    drawn = np.eye(3, dtype=np.float32)[random.permutation(labels)] * 2
    assert fit_name_weight(scores, right, PRIORS, labels) > 1.5
    assert fit_name_weight(scores, drawn, PRIORS, labels) < 0.2
    assert fit_name_weight(scores, np.zeros_like(right), PRIORS, labels) == pytest.approx(1.0, abs=1e-3)
    assert fit_name_weight(scores[:0], right[:0], PRIORS, labels[:0]) == pytest.approx(1.0, abs=1e-3)
