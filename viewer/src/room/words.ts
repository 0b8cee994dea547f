/** The sentences that the server wrote into the page for its script. */
export function words(): DOMStringMap {
  return document.getElementById('mots')?.dataset ?? {};
}

/** How many answers wait, as a sentence; the page holds it for one and for ninety-nine. */
export function waiting(n: number): string {
  const w = words();
  return (n === 1 ? w.waitOne : w.waitMany?.replace('99', String(n))) ?? '';
}
