/* Twin of `agency_need` in book/the-database-nobody-wanted.md: each agency's weighted mean of three scores. */
mystique.twins.agency_need = function (values, given) {
  "use strict";
  const total = values.completeness + values.timeliness + values.accuracy;
  const scores = given.agencies.map((_, i) =>
    total === 0
      ? null
      : (values.completeness * given.completeness[i] + values.timeliness * given.timeliness[i] + values.accuracy * given.accuracy[i]) / total
  );
  const lowest = total === 0 ? null : Math.min(...scores);
  const visit = scores.indexOf(lowest);
  return {
    data: {
      d0: given.agencies.map((agency, i) => ({ agency: agency, score: scores[i], advice: total && i === visit ? "visit first" : "later" })),
    },
    sentence:
      total === 0
        ? "All three weights are zero: nothing is being weighed, so no agency comes first."
        : "Visit " + given.agencies[visit] + " first: its weighted score is the lowest, " + mystique.fixed(lowest, 1) + " out of 100.",
  };
};
