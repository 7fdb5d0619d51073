// The stand-in's counters and models, for the operator's view.

/** The operator's token. */
export const ADMIN = process.env.GARS_ADMIN_TOKEN ?? 'the-operator-of-the-stand-in'

/** A few counters, as Prometheus reads them. */
export const metricsText = (events) => `# TYPE gars_events_accepted_total counter
gars_events_accepted_total ${events}.0
gars_impressions_recorded_total 12.0
gars_queue_depth{queue="events"} 0.0
gars_list_cache_total{result="answer"} 10.0
gars_list_cache_total{result="list"} 20.0
gars_list_cache_total{result="miss"} 10.0
gars_fallback_levels_total{outcome="ok",level="ranking"} 31.0
gars_stage_seconds_bucket{le="0.001",stage="ranking"} 10.0
gars_stage_seconds_bucket{le="+Inf",stage="ranking"} 10.0
gars_stage_seconds_count{stage="ranking"} 10.0
${['/api/v1/users/{user_id}/recommendations', '/api/v1/interactions'].map(answered).join('')}`

function answered(route) {
  const of = `route="${route}"`
  return `gars_http_request_seconds_bucket{le="0.005",${of}} 8.0
gars_http_request_seconds_bucket{le="0.01",${of}} 10.0
gars_http_request_seconds_bucket{le="+Inf",${of}} 10.0
gars_http_request_seconds_count{${of}} 10.0
`
}

const check = (name, value, limit, says) => ({ name, value, limit, says, passed: value <= limit })
const validation = {
  dataset: 'stand-in',
  content_hash: 'b'.repeat(64),
  made_at: '2026-01-03T04:00:00Z',
  accepted: false,
  faults: [],
  checks: [
    check('orphan_share', 0.002, 0.01, '12 of 6,000 anime seen are not in the catalogue'),
    check('suspicious_user_share', 0.004, 0.01, '20 of 5,000 users do not look like people'),
    check('rating_shift', 0.11, 0.08, 'distance of the histograms of ratings'),
    check('users_lost', 0, 0.1, '5,000 users before, 5,040 now'),
  ],
  rows: 520600,
  users: 5040,
  anime: 6000,
  catalogue: 12300,
  unrated_share: 0.19,
  first_day: null,
  last_day: null,
  ratings: [20, 30, 60, 110, 240, 480, 900, 980, 700, 480],
  unknown_share: { released: 0.04, studios: 0.31, duration: 0.12 },
  suspicious_users: 20,
  drift: {
    before: 'a'.repeat(64),
    rating_shift: 0.11,
    moved: [
      { name: 'rows', before: 510000, now: 520600 },
      { name: 'users', before: 5000, now: 5040 },
      { name: 'mean_rating', before: 7.8, now: 7.4 },
      { name: 'unrated_share', before: 0.18, now: 0.19 },
    ],
    unknown_rise: { studios: 0.02 },
    anime_new: 3,
    anime_vanished: 0,
    new_examples: ['Sousou no Frieren', 'Dungeon Meshi'],
    vanished_examples: [],
    ratings_before: [10, 20, 40, 80, 180, 400, 900, 1100, 850, 420],
  },
}

const step = (name, seconds) => ({ name, state: 'done', time: '2026-01-03T04:10:00Z', seconds, peak_mb: 900, message: null })
const compared = (metric, gain, low, high) => ({ metric, candidate: 0.3 + gain, other: 0.3, gain, low, high, guarded: true })
const runs = [
  {
    run: '20260103-040000-01',
    begun: '2026-01-03T04:00:00Z',
    state: 'kept',
    message: 'model-c is not promoted: worse than model-b',
    steps: [step('start', 0.1), step('validate', 3.2), step('snapshot', 1.8), step('train', 240), step('evaluate', 35)],
    verdict: { promote: false, why: 'worse than model-b', against: 'model-b', users: 500, compared: [compared('ndcg@10', -0.012, -0.02, -0.004), compared('recall@50', 0.003, -0.002, 0.008), compared('auc', 0.006, 0.002, 0.01)] },
  },
  {
    run: '20260102-040000-01',
    begun: '2026-01-02T04:00:00Z',
    state: 'failed',
    message: 'the disk is full',
    steps: [step('start', 0.1), { name: 'train', state: 'failed', time: '2026-01-02T04:10:00Z', seconds: null, peak_mb: null, message: 'the disk is full' }],
    verdict: null,
  },
]

const training = {
  version: 'model-b',
  trained: '2026-01-02T00:00:00Z',
  seed: 0,
  data: 'stand-in',
  users: 5000,
  anime: 12300,
  interactions: 520600,
  features: 70,
  metrics: { loss: 4.8, val_loss: 4.67 },
  curves: {
    loss: [5.6, 5.1, 4.9, 4.8],
    val_loss: [5.2, 4.9, 4.72, 4.67],
    order_loss: [5.0, 4.6, 4.44, 4.35],
    val_order_loss: [4.7, 4.45, 4.28, 4.24],
    like_loss: [0.6, 0.5, 0.46, 0.45],
    val_like_loss: [0.5, 0.45, 0.44, 0.43],
  },
  libraries: { keras: '3.15.1' },
}

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
    if (path === '/admin/validation') return [200, { latest: validation }]
    if (path === '/admin/runs') return [200, { runs }]
    if (path === '/admin/training') return [200, { latest: training }]
    if (path === '/experiment') return [404, { error: { code: 'not_found', message: 'no experiment runs', hint: null } }]
    return null
  }
}
