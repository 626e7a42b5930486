/** The middle value; of an even number, the mean of the two in the middle. */
export const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/**
 * Takes both sides in turn, `rounds` times after `warmUp` that do not count; who begins changes, so that neither always
 * finds the machine as the other left it. A side may return any record of numbers.
 */
export const pairs = async (rounds, warmUp, ours, theirs) => {
  const taken = []
  for (let round = -warmUp; round < rounds; round++) {
    let one, other
    if (round % 2 === 0) {
      one = await ours()
      other = await theirs()
    } else {
      other = await theirs()
      one = await ours()
    }
    if (round >= 0) taken.push([one, other])
  }
  return {
    /** Median of the ratios of each pair. */
    ratio: (key) => median(taken.map(([one, other]) => one[key] / other[key])),
    /** Ratio of the best of each side. */
    ratioOfMinima: (key) =>
      Math.min(...taken.map(([one]) => one[key])) / Math.min(...taken.map(([, other]) => other[key])),
    ours: (key) => median(taken.map(([one]) => one[key])),
    theirs: (key) => median(taken.map(([, other]) => other[key]))
  }
}
