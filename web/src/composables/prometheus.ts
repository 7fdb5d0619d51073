/** Reading counters of the service in Prometheus' text format, as far as the operator's view shows them. */

export interface Sample {
  labels: Readonly<Record<string, string>>
  value: number
}

/** Name → samples. */
export type Metrics = ReadonlyMap<string, readonly Sample[]>

export function parseMetrics(text: string): Metrics {
  const found = new Map<string, Sample[]>()
  for (const line of text.split('\n')) {
    const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/.exec(line)
    if (!parts) continue
    const [, name = '', inside = '', number = ''] = parts
    const labels = Object.fromEntries([...inside.matchAll(/(\w+)="((?:[^"\\\\]|\\\\.)*)"/g)].map(([, key = '', value = '']) => [key, value]))
    const samples = found.get(name) ?? []
    samples.push({ labels, value: number === '+Inf' ? Infinity : Number(number) })
    found.set(name, samples)
  }
  return found
}

/** The sum of the samples whose labels hold all of `wanted`. */
export const total = (metrics: Metrics, name: string, wanted: Record<string, string> = {}): number =>
  (metrics.get(name) ?? [])
    .filter(({ labels }) => Object.entries(wanted).every(([key, value]) => labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)

/** A quantile of a histogram in seconds, as milliseconds: between the bounds of its bucket in proportion. Null without any. */
export function quantile(metrics: Metrics, name: string, wanted: Record<string, string>, share: number): number | null {
  const buckets = (metrics.get(`${name}_bucket`) ?? [])
    .filter(({ labels }) => Object.entries(wanted).every(([key, value]) => labels[key] === value))
    .map(({ labels, value }) => ({ bound: labels.le === '+Inf' ? Infinity : Number(labels.le), count: value }))
    .sort((a, b) => a.bound - b.bound)
  const all = buckets.at(-1)?.count ?? 0
  if (!all) return null
  let low = { bound: 0, count: 0 }
  for (const bucket of buckets) {
    if (bucket.count >= share * all) {
      if (bucket.bound === Infinity) return low.bound * 1000
      const within = (share * all - low.count) / Math.max(1, bucket.count - low.count)
      return (low.bound + within * (bucket.bound - low.bound)) * 1000
    }
    low = bucket
  }
  return low.bound * 1000
}
