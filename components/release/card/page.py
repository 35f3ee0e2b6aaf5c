"""The card as one printed page, and as lines of a terminal."""

from collections.abc import Iterator
from typing import Final

from components.evidence import wilson_interval
from components.html_page import render_html
from components.release.card.facts import CardFacts

INTENDED: Final = (
    "Sorting and tagging photos of single products like those of the catalogue: one product in the picture, of a kind "
    "that the catalogue has. Answers that say so should be looked at by a person."
)
OUT_OF_SCOPE: Final = (
    "Recognising people, or judging them; pictures of many products, or of none; kinds of products that the catalogue "
    "lacks, which get the nearest label; any decision that nobody can look at again."
)
LIMITS: Final = (
    "It knows the labels of its training rows and no others, and repeats their errors; `lookbook audit` lists those "
    "labels that are probably wrong.",
    "Figures are of this catalogue's test split. Photos taken otherwise (backgrounds, light, phones) may do worse; "
    "`lookbook score` measures it.",
)
_HYPERPARAMETERS: Final = ("backbone", "height", "width", "epochs", "batch_size", "learning_rate", "loss", "neighbours")


def render_card(facts: CardFacts) -> str:
    """One HTML file that needs nothing else and prints on one page of A4."""
    chosen = facts.manifest.get("hyperparameters", {})
    return render_html(
        __package__,
        "card.html",
        facts=facts,
        manifest=facts.manifest,
        catalogue=facts.catalogue,
        hyperparameters={name: chosen[name] for name in _HYPERPARAMETERS if name in chosen},
        intended=INTENDED,
        out_of_scope=OUT_OF_SCOPE,
        limits=(*facts.limits, *LIMITS),
        audit=tuple(audit_sentences(facts)),
        corrections=tuple(correction_sentences(facts.corrections)),
        shown=_shown,
        span=_span,
    )


def audit_sentences(facts: CardFacts) -> Iterator[str]:
    """What an audit said of the labels, and of the release's own errors."""
    audit = facts.audit
    if not audit:
        yield f"Nobody audited the labels of this release: `lookbook audit --release {facts.manifest['version']}` does."
        return
    yield (
        f"{audit['suspects']:,} of {audit['judged']:,} judged labels of {audit['column']} are suspected to be wrong; "
        f"{audit['disagreeing']:,} sets of (nearly) equal pictures differ in theirs. Suspected is not proven."
    )
    wrong, blamed = audit["wrong"], audit["blamed"]
    if not wrong:
        yield f"The release erred on none of {audit['tested']:,} test pictures."
        return
    yield (
        f"Of the release's own {wrong:,} errors on {audit['tested']:,} test pictures the audit blames {blamed:,} "
        f"({_shown(blamed / wrong)}, 95 %: {_span(wilson_interval(blamed, wrong))}) on the label; of "
        f"{audit['agreed']:,} of those the release says what the audit suggests."
    )


def correction_sentences(counts: dict[str, int] | None) -> Iterator[str]:
    """What the release makes of the corrections that its catalogue keeps; nothing where it keeps none."""
    if not counts:
        return
    fixed, wrong = counts["fixed"], counts["still_wrong"]
    right, spoilt = counts["still_right"], counts["spoilt"]
    accepted = f"of {right + spoilt:,} accepted answers {spoilt:,} got worse"
    yield f"Fixed {fixed:,} of {fixed + wrong:,} corrections; {accepted}."
    if right + spoilt + fixed + wrong:
        yield "Most of these rows it has learnt from and remembers; how right it is on others, the report tells."
    if counts["not_asked"]:
        yield f"{counts['not_asked']:,} could not be asked about."


def card_lines(facts: CardFacts) -> Iterator[str]:
    """The same for a terminal."""
    manifest = facts.manifest
    made = manifest.get("created_at", "nobody noted when")
    yield f"release {manifest['version']}, made {made}, profile {manifest.get('profile', 'unnamed')}"
    rows = facts.catalogue.get("splits", {})
    split = f" ({', '.join(f'{name} {count:,}' for name, count in rows.items())})" if rows else ""
    yield f"learnt from {manifest.get('data', 'data that is not recorded')}{split}"
    for one in facts.heads:
        against = f", last release {_shown(one.before)}" if one.before is not None else ""
        yield f"  {one.head:<16} top-1 {_shown(one.top_1)} ({_span(one.interval)}) of {one.count:,}{against}"
    if facts.all_right is not None:
        yield f"  {'all right':<16} {_shown(facts.all_right)} ({_span(facts.all_right_interval)})"
    if facts.weakest:
        weakest = ", ".join(f"{one.label} {_shown(one.recall)} of {one.count}" for one in facts.weakest)
        yield f"least found: {weakest}"
    yield from (f"label audit: {one}" for one in audit_sentences(facts))
    yield from (f"corrections: {one}" for one in correction_sentences(facts.corrections))
    yield f"intended for: {INTENDED}"
    yield f"not for: {OUT_OF_SCOPE}"
    yield from (f"limit: {one}" for one in (*facts.limits, *LIMITS))


def _shown(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f}–{interval[1]:.3f}"
