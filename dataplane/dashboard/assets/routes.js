import { count, el, milliseconds, plural, rate, table } from '/dom.js';
import * as figures from '/figures.js';

const state = { sort: 'rate', down: true, page: 0, search: '', trouble: false };

const columns = [
  { name: 'host', label: 'Host and path', value: (row) => row.host + row.path, cell: (row) => el('span', {},
    el('span', { class: 'host', text: row.host }), el('span', { class: 'mono', text: row.path }),
    el('span', { class: 'sub', text: [row.kind, ...(row.conditions || [])].join(', ') })) },
  { name: 'owner', label: 'From', value: (row) => row.owner, cell: (row) => el('span', {}, el('span', { text: row.owner }), el('span', { class: 'sub mono', text: row.field })) },
  { name: 'backends', label: 'To', value: (row) => target(row), cell: (row) => el('span', {},
    el('span', { class: 'mono', text: target(row) }), row.policies.length ? el('span', { class: 'sub', text: row.policies.join(', ') }) : null) },
  { name: 'state', label: 'State', value: (row) => (row.trouble ? 0 : 1), cell: (row) => row.trouble
    ? el('span', {}, el('span', { class: 'pill bad', text: 'trouble' }), el('span', { class: 'why', text: row.trouble }))
    : el('span', { class: 'pill good', text: 'serving' }) },
  { name: 'rate', label: 'Req/s', number: true, value: (row) => row.now.rate, cell: (row) => muted(rate(row.now.rate), !row.now.rate) },
  { name: 'refused', label: '4xx/s', number: true, value: (row) => row.now.refused, cell: (row) => muted(rate(row.now.refused), !row.now.refused) },
  { name: 'errors', label: '5xx/s', number: true, value: (row) => row.now.errors, cell: (row) => row.now.errors ? el('span', { class: 'pill bad', text: rate(row.now.errors) }) : muted('0', true) },
  { name: 'p95', label: 'p95 ms', number: true, value: (row) => row.now.p95, cell: (row) => muted(milliseconds(row.now.p95), !row.now.p95) },
];

function muted(text, quiet) { return el('span', { class: quiet ? 'quiet' : '', text }); }

function target(row) {
  if (!row.backends.length) return row.answers ? `answers ${row.answers}` : 'answers 503';
  if (row.backends.length === 1) return row.backends[0].cluster;
  return row.backends.map((one) => `${one.cluster} \u00d7 ${one.weight}`).join(', ');
}

// Searching happens here while all routes are here; the server searches when there are more than it gives at once.
export async function load(get) {
  const all = await get('/api/routes');
  return all.matched > all.routes.length && state.search ? get(`/api/routes?search=${encodeURIComponent(state.search)}`) : all;
}

export function draw(data, again, reload) {
  const result = el('div', { id: 'result' });
  const fill = () => {
    const words = state.search.toLowerCase();
    const rows = data.routes.filter((row) => (!state.trouble || row.trouble) &&
      (!words || `${row.host}${row.path}\n${row.owner}\n${target(row)}`.toLowerCase().includes(words)));
    for (const row of rows) row.now = figures.of(row.labels);
    result.replaceChildren(table('Routes', columns, rows, state, fill));
  };
  let waiting;
  const search = el('input', { type: 'search', id: 'search', value: state.search, autocomplete: 'off', spellcheck: 'false', placeholder: 'host, path, owner or service', oninput: () => {
    Object.assign(state, { search: search.value, page: 0 });
    clearTimeout(waiting);
    waiting = setTimeout(data.total > data.routes.length ? reload : fill, 120);
  } });
  const trouble = el('input', { type: 'checkbox', id: 'trouble', checked: state.trouble, onchange: () => {
    Object.assign(state, { trouble: trouble.checked, page: 0 });
    fill();
  } });
  fill();
  const more = data.matched > data.routes.length ? ` The first ${count(data.routes.length)} are listed; search for others.` : '';
  return el('div', {},
    el('h1', { text: 'Routes' }),
    el('p', { class: 'lead', text: `${plural(data.total, 'route')}; rates are those of the last seconds.${more}` }),
    el('div', { class: 'bar' }, el('label', { class: 'grow' }, 'Search', search), el('label', { class: 'check' }, trouble, 'only in trouble')),
    result);
}
