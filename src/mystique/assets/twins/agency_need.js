/* Twin of `agency_need` in book/the-database-nobody-wanted.md: each agency's weighted mean of three scores. */
mystique.twins.agency_need = function (values, given) {
  "use strict";
  const rows = given.agencies.map((_, i) => [given.completeness[i], given.timeliness[i], given.accuracy[i]]);
  const scores = mystique.weightedMeans([values.completeness, values.timeliness, values.accuracy], rows);
  const nothing = scores[0] === null;
  const lowest = nothing ? null : Math.min(...scores);
  const visit = scores.indexOf(lowest);
  return {
    data: {
      d0: given.agencies.map((agency, i) => ({ agency: agency, score: scores[i], advice: !nothing && i === visit ? "visit first" : "later" })),
    },
    sentence:
      nothing
        ? "All three weights are zero: nothing is being weighed, so no agency comes first."
        : "Visit " + given.agencies[visit] + " first: its weighted score is the lowest, " + mystique.fixed(lowest, 1) + " out of 100.",
  };
};
