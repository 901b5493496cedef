/* Twin of `auditing_weights` in book/auditing-an-agency.md: twelve agencies in the order of their weighted score. */
mystique.twins.auditing_weights = function (values, given) {
  "use strict";
  const rows = given.agencies.map((_, i) => [given.aura[i], given.commitment[i], given.sustaining[i]]);
  const scores = mystique.weightedMeans([values.aura, values.commitment, values.sustaining], rows);
  const nothing = scores[0] === null;
  const order = scores.map((_, i) => i);
  if (!nothing) order.sort((i, j) => scores[j] - scores[i] || i - j);
  const place = order.findIndex((i) => given.agencies[i] === values.favourite) + 1;
  const weights = values.aura + ", " + values.commitment + " and " + values.sustaining;
  let sentence = "All three weights are zero: nothing is being weighed, so nobody is first.";
  if (!nothing)
    sentence =
      "With weights " + weights + ", " + given.agencies[order[0]] + " is first with " + mystique.fixed(scores[order[0]], 2) + " points; your favourite" +
      (place === 1 ? " wins." : ", " + values.favourite + ", is in place " + place + " of " + order.length + ".");
  return {
    data: {
      d0: order.map((i, at) => ({
        place: at + 1,
        agency: given.agencies[i],
        score: scores[i],
        whose: given.agencies[i] === values.favourite ? "your favourite" : "the others",
      })),
    },
    sentence: sentence,
  };
};
