import { describe, expect, it } from 'vitest'

import { parseMetrics, quantile, total } from './prometheus'

const metrics = parseMetrics(`# HELP gars_fallback_levels_total Outcomes of each level of the fallback chain.
# TYPE gars_fallback_levels_total counter
gars_events_accepted_total 42.0
gars_fallback_levels_total{level="ranking",outcome="ok"} 7.0
gars_fallback_levels_total{level="ranking",outcome="late"} 2.0
gars_http_request_seconds_bucket{le="0.001",route="/a"} 0.0
gars_http_request_seconds_bucket{le="0.01",route="/a"} 5.0
gars_http_request_seconds_bucket{le="0.1",route="/a"} 10.0
gars_http_request_seconds_bucket{le="+Inf",route="/a"} 10.0
`)

describe('metrics', () => {
  it('are read with their labels', () => {
    expect(total(metrics, 'gars_events_accepted_total')).toBe(42)
    expect(total(metrics, 'gars_fallback_levels_total', { outcome: 'late' })).toBe(2)
    expect(total(metrics, 'gars_fallback_levels_total')).toBe(9)
    expect(total(metrics, 'gars_nothing')).toBe(0)
  })

  it('give quantiles in milliseconds', () => {
    expect(quantile(metrics, 'gars_http_request_seconds', { route: '/a' }, 0.5)).toBeCloseTo(10)
    expect(quantile(metrics, 'gars_http_request_seconds', { route: '/a' }, 0.75)).toBeCloseTo(55)
    expect(quantile(metrics, 'gars_http_request_seconds', { route: '/b' }, 0.5)).toBeNull()
  })
})
