/** A stretch of words, and whether the other side lacks it. */
export interface Stretch {
  text: string;
  differs: boolean;
}

/** The words of two texts that are not common to both, in their order (longest common subsequence). */
export function compareWords(a: string, b: string): [Stretch[], Stretch[]] {
  const x = a.split(/\s+/).filter(Boolean);
  const y = b.split(/\s+/).filter(Boolean);
  const common = Array.from({ length: x.length + 1 }, () => new Array<number>(y.length + 1).fill(0));
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      common[i][j] = x[i] === y[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  const keepX = x.map(() => false);
  const keepY = y.map(() => false);
  for (let i = 0, j = 0; i < x.length && j < y.length;) {
    if (x[i] === y[j]) {
      keepX[i++] = true;
      keepY[j++] = true;
    } else if (common[i + 1][j] >= common[i][j + 1]) i++;
    else j++;
  }
  return [stretches(x, keepX), stretches(y, keepY)];
}

function stretches(words: string[], keep: boolean[]): Stretch[] {
  const out: Stretch[] = [];
  words.forEach((word, i) => {
    const last = out.at(-1);
    if (last && last.differs === !keep[i]) last.text += ' ' + word;
    else out.push({ text: word, differs: !keep[i] });
  });
  return out;
}
