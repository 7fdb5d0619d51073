// The stand-in's counters and models, for the operator's view.

/** The operator's token. */
export const ADMIN = process.env.GARS_ADMIN_TOKEN ?? 'the-operator-of-the-stand-in'

/** A few counters, as Prometheus reads them. */
export const metricsText = (events) => `# TYPE gars_events_accepted_total counter
gars_events_accepted_total ${events}.0
gars_impressions_recorded_total 12.0
gars_queue_depth{queue="events"} 0.0
gars_rungs_total{outcome="ok",rung="ranking"} 31.0
gars_stage_seconds_bucket{le="0.001",stage="ranking"} 10.0
gars_stage_seconds_bucket{le="+Inf",stage="ranking"} 10.0
gars_stage_seconds_count{stage="ranking"} 10.0
`

/** Models and the experiment; nothing for any other route. */
export function operatorRoutes() {
  let [serving, before] = ['model-b', 'model-a']
  const change = (to) => {
    ;[before, serving] = [serving, to]
    return [200, { serving, before }]
  }
  return (method, path, query) => {
    if (path === '/admin/models') {
      const models = ['model-b', 'model-a'].map((version, at) => ({ version, trained: `2026-01-0${2 - at}T00:00:00Z` }))
      return [200, { serving, models }]
    }
    if (path === '/admin/models/promote') return change(query.get('version'))
    if (path === '/admin/models/rollback') return change(before)
    if (path === '/experiment') return [404, { error: { code: 'not_found', message: 'no experiment runs', hint: null } }]
    return null
  }
}
