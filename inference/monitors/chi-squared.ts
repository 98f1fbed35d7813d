/** Series and continued fraction end here at the latest; both converge in tens of terms for the degrees of freedom of a histogram. */
const TERMS_MAX = 1000
const EPSILON = 1e-15

/** The x that a chi-squared variable of `degrees` degrees of freedom stays below with probability `p` (0 < p < 1). Bisection on the exact distribution: 1e-12. */
export function chiSquaredQuantile (p: number, degrees: number): number {
  let [low, high] = [0, degrees + 10]
  while (lowerGamma(degrees / 2, high / 2) < p) high *= 2
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2
    if (lowerGamma(degrees / 2, middle / 2) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Regularised lower incomplete gamma P(a, x): a series left of a + 1, Lentz's continued fraction right of it (Numerical Recipes 6.2). */
function lowerGamma (a: number, x: number): number {
  if (x <= 0) return 0
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  return x < a + 1 ? scale * series(a, x) : 1 - scale * continuedFraction(a, x)
}

function series (a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; n < TERMS_MAX && term > sum * EPSILON; n++) {
    term *= x / (a + n)
    sum += term
  }
  return sum
}

function continuedFraction (a: number, x: number): number {
  let b = x + 1 - a
  let c = Infinity
  let d = 1 / b
  let h = d
  for (let n = 1; n < TERMS_MAX; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (numerator * d + b)
    c = b + numerator / c
    h *= d * c
    if (Math.abs(d * c - 1) < EPSILON) break
  }
  return h
}

/** Lanczos, g = 7, 9 terms: 15 digits. */
function logGamma (a: number): number {
  const terms = [0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7]
  const x = a - 1
  const sum = terms.reduce((s, term, i) => i === 0 ? term : s + term / (x + i), 0)
  const t = x + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum)
}
