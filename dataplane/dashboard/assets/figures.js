// Rates are the difference of two readings of the counters; the server keeps no history.
const HISTORY = 60;
export const key = (labels) => labels.join('\n');

let before = null;
export const history = []; // {rate, errors} of the whole dataplane, oldest first
export let totals = {};
let routes = new Map();

export function take(reading) {
  const now = new Map(reading.routes.map((one) => [key(one.labels), one]));
  if (before && reading.now > before.now) {
    const seconds = (reading.now - before.now) / 1000;
    routes = new Map();
    for (const [name, one] of now) routes.set(name, between(before.routes.get(name), one, seconds));
    const sum = (member) => [...routes.values()].reduce((all, one) => all + one[member], 0);
    history.push({ rate: sum('rate'), errors: sum('errors') });
    if (history.length > HISTORY) history.shift();
  }
  totals = reading.totals;
  before = { now: reading.now, routes: now };
}

function between(was, is, seconds) {
  // A counter that fell: the dataplane began anew.
  if (!was || was.requests > is.requests) was = { requests: 0, client_errors: 0, server_errors: 0, timed: 0, latency: [] };
  const old = new Map(was.latency);
  const buckets = is.latency.map(([bound, value]) => [bound, value - (old.get(bound) || 0)]);
  return {
    rate: (is.requests - was.requests) / seconds,
    refused: (is.client_errors - was.client_errors) / seconds,
    errors: (is.server_errors - was.server_errors) / seconds,
    p95: quantile(0.95, buckets, is.timed - was.timed),
    total: is.requests,
  };
}

function quantile(share, buckets, total) {
  if (total <= 0) return 0;
  const rank = share * total;
  let [low, below] = [0, 0];
  for (const [bound, value] of buckets) {
    if (value >= rank) return low + (bound - low) * (value > below ? (rank - below) / (value - below) : 0);
    [low, below] = [bound, value];
  }
  return low;
}

const quiet = { rate: 0, refused: 0, errors: 0, p95: 0, total: 0 };
export const of = (labels) => routes.get(key(labels)) || quiet;
