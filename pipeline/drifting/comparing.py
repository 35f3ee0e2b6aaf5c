"""What was seen against what eval was like, by TFDV's skew comparators, with room for the noise of small samples.

Labels are compared by L-infinity, the largest difference of a share; numbers by the Jensen-Shannon divergence of their
bins, in bits. Both are 0 for the same and 1 for nothing in common.

Small samples differ though nothing changed. Of n pictures and m rows of eval the difference of a share has a standard
deviation of at most ``½ √(1/n + 1/m)``; five of these are allowed, since there are some hundred bins. The divergence of
two samples of one distribution with k bins is ``(1/n + 1/m) χ²(k - 1) / (8 ln 2)`` as n and m grow (Lin, "Divergence
measures based on the Shannon entropy", 1991, with Pearson's χ²); one in :data:`_ONE_IN` of that is allowed.
"""

import math
from dataclasses import dataclass

import tensorflow_data_validation as tfdv
from scipy.stats import chi2
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from pipeline.drifting.seen import Measure

_DEVIATIONS = 5.0
_ONE_IN = 25_000


@dataclass(frozen=True)
class Finding:
    """One measure, compared.

    Attributes:
        measure: what was compared.
        distance: 0 to 1.
        allowed: beyond which it is drift; 1 where there are too few pictures to tell anything.
        noise: what chance explains.
        is_benign: whether pictures are nearer or surer than eval was, as those are that were learnt from.
    """

    measure: Measure
    distance: float
    allowed: float
    noise: float
    is_benign: bool

    @property
    def has_drifted(self) -> bool:
        """Whether it is another distribution, by more than chance and the threshold together."""
        return self.distance > self.allowed and not self.is_benign

    @property
    def most(self) -> tuple[str, float, float]:
        """The bin that differs most: its name, its share of eval, its share of what was seen."""
        expected, seen = (_shares(counts) for counts in (self.measure.expected, self.measure.seen))
        i = max(range(len(seen)), key=lambda i: abs(seen[i] - expected[i]))
        return self.measure.bins[i], expected[i], seen[i]


def compare(measures: tuple[Measure, ...], threshold: float) -> list[Finding]:
    """Compares all measures of which there is anything to compare, the farthest beyond what is allowed first.

    Args:
        measures: of a release.
        threshold: distance that is allowed however many pictures there are.
    """
    measures = tuple(one for one in measures if sum(one.expected) and sum(one.seen))
    distances = _distances(measures)
    findings = [_finding(one, distances[one.name], threshold) for one in measures]
    return sorted(findings, key=lambda one: one.allowed - one.distance if not one.is_benign else math.inf)


def _finding(one: Measure, distance: float, threshold: float) -> Finding:
    noise = _noise(one)
    expected, seen = _shares(one.expected), _shares(one.seen)
    return Finding(one, distance, min(threshold + noise, 1.0), noise, one.more_is_usual and seen[-1] >= expected[-1])


def _noise(one: Measure) -> float:
    spread = 1 / sum(one.seen) + 1 / sum(one.expected)
    if one.is_label:
        return _DEVIATIONS * 0.5 * math.sqrt(spread)
    free = max(len(one.bins) - 1, 1)
    return float(chi2.isf(1 / _ONE_IN, free)) * spread / (8 * math.log(2))


def _distances(measures: tuple[Measure, ...]) -> dict[str, float]:
    """Measure → TFDV's distance."""
    schema = schema_pb2.Schema()
    for one in measures:
        feature = schema.feature.add(name=one.name, type=schema_pb2.BYTES if one.is_label else schema_pb2.FLOAT)
        comparator = feature.skew_comparator
        # The distance is what is wanted; whether it is too much is said here, by the number of pictures.
        (comparator.infinity_norm if one.is_label else comparator.jensen_shannon_divergence).threshold = 1.0
    expected, seen = (_statistics(measures, part) for part in ("expected", "seen"))
    anomalies = tfdv.validate_statistics(expected, schema, serving_statistics=seen)
    return {info.path.step[0]: info.skew_measurements[0].value for info in anomalies.drift_skew_info}


def _statistics(measures: tuple[Measure, ...], part: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The counts as TFDV has them; the ranges of a number by their positions, of which alone its comparator thinks."""
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = statistics.datasets.add(num_examples=max((sum(getattr(one, part)) for one in measures), default=0))
    for one in measures:
        counts = getattr(one, part)
        feature = dataset.features.add()
        feature.path.step.append(one.name)
        if one.is_label:
            feature.type = statistics_pb2.FeatureNameStatistics.STRING
            common = feature.string_stats.common_stats
            for label, count in zip(one.bins, counts, strict=True):
                if count:
                    feature.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
        else:
            feature.type = statistics_pb2.FeatureNameStatistics.FLOAT
            common = feature.num_stats.common_stats
            histogram = feature.num_stats.histograms.add(type=statistics_pb2.Histogram.STANDARD)
            for i, count in enumerate(counts):
                histogram.buckets.add(low_value=i, high_value=i + 1, sample_count=count)
        common.num_non_missing = common.tot_num_values = sum(counts)
        common.min_num_values = common.max_num_values = 1
    return statistics


def _shares(counts: tuple[int, ...]) -> list[float]:
    return [count / max(sum(counts), 1) for count in counts]
