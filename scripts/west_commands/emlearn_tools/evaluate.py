# SPDX-License-Identifier: Apache-2.0
"""What a model is worth on recordings: whole recordings stream through the device's C code, then labels join.

The report is a dict of JSON types. Scores are shares (0 to 1); "by class" lists have the order of `classes`.

    model           {name, digest}
    classes         names, by class index
    data            {recordings, subjects, minutes, clipped_frames}
    windows         {used, warming, dropped: {reason: number}}  reasons: straddling, dropped label, unlabeled,
                                                                lost frames (windows), too short (recordings)
    macro_f1, accuracy                                          per window, before smoothing
    per_class       [{name, precision, recall, f1, support}]
    confusion       [[windows]]                                 rows true, columns predicted
    smoothed        {macro_f1, accuracy, per_class, confusion}  the same windows after smoothing
    per_subject     [{name, windows, macro_f1, accuracy, smoothed_macro_f1, smoothed_accuracy}], by name
    warnings        [sentence]
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from emlearn_tools import dataset, metrics, native, segment
from emlearn_tools.artifact import Model
from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import Progress, RawRecording, Recording, bridge, quantise
from emlearn_tools.spec import RecordingRules
from emlearn_tools.trees_layout import TreesLayout, layout


class Decided(NamedTuple):
    """A recording as the model sees it: all its windows, and the true class of each, (k,) int64.

    A negative class is a reason why the window has none (segment.REASONS).
    """

    recording: Recording
    windows: native.Windows
    truth: np.ndarray


def decide(model: Model, trees: TreesLayout, recording: Recording, chunk: int | None = None) -> Decided:
    """Run a recording through the C pipeline of a model and label its windows as training did.

    trees: layout(model.forest). chunk: frames a push; it makes no difference to the result.
    """
    windows = native.run(model.spec, recording.samples, recording.gaps, layout=trees, chunk=chunk)
    truth = segment.join(
        windows.end, model.spec.window_len, recording.spans, model.classes, model.labels, model.label_join
    )
    return Decided(recording, windows, truth)


def evaluate(
    model: Model,
    raws: Sequence[RawRecording],
    rules: RecordingRules | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The report on the recordings that `rules` choose (all without them); see the top of this module.

    progress: called with (recordings done, in all).
    Raises EmlearnError if no recording is chosen, one does not fit the model (rate, sensors), or no window of
    any has one of the model's classes.
    """
    rules = rules or RecordingRules()
    chosen = dataset.select(raws, rules, "--data")
    trees = layout(model.forest)
    decided = []
    for number, raw in enumerate(chosen, start=1):
        decided.append(decide(model, trees, quantise(bridge(raw, rules.bridge_s), model.spec)))
        if progress:
            progress(number, len(chosen))
    dropped = _dropped(model, decided)
    truth, window_class, class_idx, subject = _labelled(decided)
    if len(truth) == 0:
        why = ", ".join(f"{reason}: {n}" for reason, n in dropped.items() if n)
        raise EmlearnError(
            f"no window has one of the model's classes (windows dropped: {why})",
            "--data",
            f"recordings of {model.spec.window_len} frames or more, labelled {', '.join(model.classes)}",
        )
    n_warming = sum(int(d.windows.warming[d.truth >= 0].sum()) for d in decided)
    return {
        "model": {"name": model.name, "digest": model.digest},
        "classes": list(model.classes),
        "data": _data(decided),
        "windows": {"used": len(truth), "warming": n_warming, "dropped": dropped},
        **scores(truth, window_class, model.classes),
        "smoothed": scores(truth, class_idx, model.classes),
        "per_subject": _per_subject(truth, window_class, class_idx, subject, len(model.classes)),
        "warnings": _warnings(model, decided, truth),
    }


def scores(truth: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """macro_f1, accuracy, per_class and confusion of (k,) class indices, k at least 1, as JSON types."""
    matrix = metrics.confusion(truth, predicted, len(classes))
    by_class = metrics.per_class(matrix)
    return {
        "macro_f1": metrics.macro_f1(matrix),
        "accuracy": metrics.accuracy(matrix),
        "per_class": [
            {"name": name, **{key: values[i].item() for key, values in by_class.items()}}
            for i, name in enumerate(classes)
        ],
        "confusion": matrix.tolist(),
    }


def _dropped(model: Model, decided: Sequence[Decided]) -> dict[str, int]:
    dropped = dict.fromkeys((*segment.REASONS.values(), segment.LOST_FRAMES, segment.TOO_SHORT), 0)
    for d in decided:
        for code, reason in segment.REASONS.items():
            dropped[reason] += int((d.truth == code).sum())
        n_frames, spec = len(d.recording.samples), model.spec
        for reason, n in segment.missing_windows(
            n_frames, d.recording.gaps, spec.window_len, spec.hop_len
        ).items():
            dropped[reason] += n
    return dropped


def _labelled(decided: Sequence[Decided]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """True class, class before and after smoothing, and subject of the windows with a class, (k,) each."""
    kept = [d.truth >= 0 for d in decided]
    return (
        np.concatenate([d.truth[k] for d, k in zip(decided, kept, strict=True)]),
        np.concatenate([d.windows.window_class[k] for d, k in zip(decided, kept, strict=True)]),
        np.concatenate([d.windows.class_idx[k] for d, k in zip(decided, kept, strict=True)]),
        np.repeat([d.recording.subject for d in decided], [int(k.sum()) for k in kept]),
    )


def _data(decided: Sequence[Decided]) -> dict[str, Any]:
    return {
        "recordings": len(decided),
        "subjects": len({d.recording.subject for d in decided if d.recording.subject}),
        "minutes": sum(len(d.recording.samples) / d.recording.rate_hz for d in decided) / 60,
        "clipped_frames": sum(d.recording.n_clipped for d in decided),
    }


def _per_subject(
    truth: np.ndarray, window_class: np.ndarray, class_idx: np.ndarray, subject: np.ndarray, n_classes: int
) -> list[dict[str, Any]]:
    result = []
    for name in sorted(set(subject.tolist())):
        mine = subject == name
        before = metrics.confusion(truth[mine], window_class[mine], n_classes)
        after = metrics.confusion(truth[mine], class_idx[mine], n_classes)
        result.append(
            {
                "name": name,
                "windows": int(mine.sum()),
                "macro_f1": metrics.macro_f1(before),
                "accuracy": metrics.accuracy(before),
                "smoothed_macro_f1": metrics.macro_f1(after),
                "smoothed_accuracy": metrics.accuracy(after),
            }
        )
    return result


def _warnings(model: Model, decided: Sequence[Decided], truth: np.ndarray) -> list[str]:
    result = []
    if dataset.data_hash([d.recording for d in decided]) == model.provenance.get("data_sha256"):
        result.append(
            "these are the recordings that the model was trained on: people it has not seen score lower"
        )
    absent = [name for i, name in enumerate(model.classes) if not (truth == i).any()]
    if absent:
        result.append(f"no window is {', '.join(absent)}: macro-F1 is over the other classes")
    unknown = _unknown_labels(model, decided)
    if unknown:
        result.append(f"the model does not know the labels {', '.join(unknown)}: their windows are left out")
    return result


def _unknown_labels(model: Model, decided: Sequence[Decided]) -> list[str]:
    """Labels that are neither classes nor left out of training on purpose."""
    rules = model.labels
    names = {segment.merged(span.label, rules) for d in decided for span in d.recording.spans}
    if rules.keep:
        return []
    return sorted(names - {*model.classes, *rules.drop, *segment.NO_LABEL})


def summary(report: Mapping[str, Any]) -> str:
    """The scores on one line."""
    smoothed = report["smoothed"]
    return (
        f"macro-F1 {report['macro_f1']:.3f}, accuracy {report['accuracy']:.3f} per window; "
        f"after smoothing {smoothed['macro_f1']:.3f}, {smoothed['accuracy']:.3f}"
    )
