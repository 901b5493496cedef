/* Twin of `auditing_profile` in book/auditing-an-agency.md: the reader's nine ratings beside the invented agencies', and beside one of them. */
mystique.twins.auditing_profile = function (values, given) {
  "use strict";
  const yours = given.beliefs.map((_, i) => (values["b" + (i + 1)] < 0 ? null : values["b" + (i + 1)]));
  const rated = yours.filter((rating) => rating !== null);
  const lowest = Math.min(...rated);
  const first = yours.indexOf(lowest);
  const others = rated.filter((rating) => rating === lowest).length - 1;
  const left = yours.length - rated.length;
  const beside = given.beside[values.beside] || null;
  let ends = "";
  if (beside) {
    const judged = beside.filter((points) => points !== null);
    const end = (points) => given.beliefs[beside.indexOf(points)].toLowerCase() + " (" + mystique.fixed(points, 1) + ")";
    ends = " " + values.beside + " is lowest in " + end(Math.min(...judged)) + " and highest in " + end(Math.max(...judged)) + ".";
  }
  let sentence = "You have rated nothing yet: the pale bars run from the lowest to the highest of the twelve invented agencies.";
  if (rated.length > 2 && others + 1 === rated.length)
    sentence = "You gave all " + rated.length + " beliefs that you judged the same rating, " + lowest + ": did you look " + rated.length + " times, or once?";
  else if (rated.length)
    sentence =
      "Your lowest belief is " + given.beliefs[first].toLowerCase() + " (" + lowest + " of 4" +
      (others ? ", like " + others + " more" : "") + (left ? "; " + left + " not judged" : "") + "); a first question to ask: “" + given.questions[first] + "”";
  return {
    data: {
      d0: given.beliefs.map((belief, i) => ({
        belief: belief, yours: yours[i], beside: beside ? beside[i] : null, low: given.low[i], high: given.high[i], middle: given.middle[i],
      })),
    },
    sentence: sentence + ends,
  };
};
