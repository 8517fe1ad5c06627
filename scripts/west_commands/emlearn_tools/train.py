# SPDX-License-Identifier: Apache-2.0
"""Training: recordings and a spec to a model and a report of what it is worth.

The report is a dict of JSON types, written as report.json. Scores are shares (0 to 1), sizes bytes. "Out of fold"
means: by a model that saw nobody of the group (subject or recording) in any of its choices.

    name            of the spec
    classes         names, by class index; every list "by class" and every confusion has this order
    spec            PipelineSpec of the final model, as JSON      training     TrainSpec, as JSON
    data
      recordings, groups, minutes, clipped_frames                 numbers
      windows         {used, warming, dropped: {reason: number}}  reasons: straddling, dropped label, unlabeled,
                                                                  lost frames (windows), too short (recordings)
      per_class       [number of windows, by class]
      per_group       {group: number of windows}
    cv
      group           "subject" or "recording"                    folds, inner_folds, seeds: [seed, ...]
      macro_f1, accuracy             each {mean, std, per_seed: [...]}: per window, before smoothing
      smoothed        {macro_f1, accuracy}                        each as above: the same windows after smoothing
      per_class       [{name, precision, recall, f1, support}]    over all seeds; support is a mean over seeds
      per_group       [{name, windows, macro_f1, accuracy}]       over all seeds
      confusion       [[windows]]                                 rows true, columns predicted; sum over seeds
      folds           [{seed, fold, groups: [...], windows, macro_f1, accuracy, params, n_features, bytes}]
      quantisation    {windows, disagreements, per_mille, largest_margin}  device's class against scikit-learn's;
                                                                  margin as a share of the votes
    random_split      {macro_f1, accuracy}                        what a split by window would have claimed
    rates             [{rate_hz, kind, windows, macro_f1, accuracy}]    out of fold, recordings resampled; kind is
                                                                  "nominal", "chip" or "limit" (of the tolerance)
    selection         [{n_features, macro_f1, bytes, instructions, chosen}]   by inner folds; [] without selection
    candidates        [{params, macro_f1, accuracy, bytes, nodes, leaves, instructions, chosen}]   by inner folds
    model             {kind, vote, params, trees, nodes, leaves, depth, bytes, instructions, smooth: {...}}
    features          [{name, importance, permutation, chosen_in}]  of the final model, most important first;
                                                                  permutation: macro-F1 lost out of fold when it is
                                                                  shuffled (null if no fold used it); chosen_in:
                                                                  share of folds that chose it
    constant          [feature]                                   the same on all windows, never used
    saturated         [{name, share}]                             share of windows at an end of int16
    warnings          [sentence]
    provenance        {data_sha256, spec_sha256, seed, seeds, versions: {package: version}}

instructions are an estimate for one window on a Cortex-M3, null where there is none.
"""
