"""The report on an import: parts that add up, and each single case of each finding in files of JSON lines."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import AsSingleton
from tfx.dsl.io import fileio

from components.catalogue.example_gen.parcel import Parcel
from components.catalogue.report.report import EXAMPLES, REPORT_JSON, Leftovers, report_of
from components.catalogue.report.tally import (
    Case,
    Tally,
    by_group,
    cases_of_group,
    cases_of_rows,
    facts_of,
    tally_groups,
    tally_rows,
)
from components.catalogue.splitting.groups import bucket_of_group
from components.catalogue.splitting.splits import SplitBy

FINDINGS: Final = "findings"


def report_on(
    plans: beam.PCollection, leftovers: beam.PCollection, uri: str, source: str, fingerprint: str, split_by: SplitBy
) -> None:
    """Writes ``report.json`` and ``findings-*.jsonl`` below ``uri``.

    Args:
        plans: of all chunks of rows.
        leftovers: one: what no row uses.
        uri: of the report.
        source: the catalogue, in words.
        fingerprint: of it.
        split_by: what decided the splits.
    """
    groups = (
        plans
        | "Facts" >> beam.FlatMap(_facts).with_output_types(tuple[int, Parcel])
        | "MeetByGroup" >> beam.GroupByKey()
        | "Groups" >> beam.MapTuple(_groups).with_output_types(Parcel)
    )
    tallies = (
        plans | "TallyRows" >> beam.Map(lambda plan: Parcel(tally_rows(plan.content, EXAMPLES))),
        groups | "TallyGroups" >> beam.Map(lambda of: Parcel(tally_groups(of.content, EXAMPLES))),
    )
    _ = (
        tallies
        | "Tallies" >> beam.Flatten()
        | "Sum" >> beam.CombineGlobally(_Sum())
        | "Report" >> beam.Map(_write_report, AsSingleton(leftovers), uri, source, fingerprint, split_by)
    )
    _write_findings(plans, groups, leftovers, uri)


def _write_findings(plans: beam.PCollection, groups: beam.PCollection, leftovers: beam.PCollection, uri: str) -> None:
    cases = (
        plans | "CasesOfRows" >> beam.FlatMap(lambda plan: map(_line, cases_of_rows(plan.content))),
        groups | "CasesOfGroups" >> beam.FlatMap(lambda of: map(_line, _cases_of_groups(of.content))),
        leftovers | "CasesOfImages" >> beam.FlatMap(lambda unused: map(_line, _cases_of_images(unused))),
    )
    _ = (
        cases
        | "Cases" >> beam.Flatten()
        | "WriteFindings" >> beam.io.WriteToText(f"{uri}/{FINDINGS}", file_name_suffix=".jsonl")
    )


def _facts(plan: Parcel) -> Iterator[tuple[int, Parcel]]:
    buckets: dict[int, list[Any]] = {}
    for fact in facts_of(plan.content.placed):
        buckets.setdefault(bucket_of_group(fact.group), []).append(fact)
    for bucket, facts in buckets.items():
        yield bucket, Parcel(facts)


def _groups(bucket: int, parts: Iterable[Parcel]) -> Parcel:
    return Parcel(by_group(fact for part in parts for fact in part.content))


def _cases_of_groups(groups: Iterable[Any]) -> Iterator[Case]:
    for facts in groups:
        yield from cases_of_group(facts, len(facts))


def _cases_of_images(leftovers: Leftovers) -> Iterator[Case]:
    for name in leftovers.images:
        yield Case("images_without_row", (name,), {"file": name})


def _line(case: Case) -> str:
    return json.dumps({"finding": case.finding, **case.told}, ensure_ascii=False)


class _Sum(beam.CombineFn):
    """Tallies → their sum."""

    def create_accumulator(self) -> Tally:
        return Tally(EXAMPLES)

    def add_input(self, accumulator: Tally, element: Parcel) -> Tally:
        accumulator.add(element.content)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Tally]) -> Tally:
        total = Tally(EXAMPLES)
        for one in accumulators:
            total.add(one)
        return total

    def extract_output(self, accumulator: Tally) -> Tally:
        return accumulator


def _write_report(
    tally: Tally, leftovers: Leftovers, uri: str, source: str, fingerprint: str, split_by: SplitBy
) -> None:
    report = report_of(source, fingerprint, tally, split_by, leftovers.at_most(EXAMPLES))
    with fileio.open(f"{uri}/{REPORT_JSON}", "w") as file:
        file.write(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
