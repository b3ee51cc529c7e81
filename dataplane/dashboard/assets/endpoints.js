import { el, plural, table } from '/dom.js';

const state = { sort: 'state', down: false, page: 0, search: '' };
const out = (row) => row.endpoints.filter((one) => one.state !== 'serving').length;
const health = (row) => (!row.endpoints.length ? 0 : out(row) === row.endpoints.length ? 1 : out(row) ? 2 : 3);
const pills = [['bad', 'no endpoint'], ['bad', 'all out'], ['warn', 'some out'], ['good', 'serving']];
const SHOWN = 40;

const columns = [
  { name: 'cluster', label: 'Service and port', value: (row) => row.cluster, cell: (row) => el('span', {}, el('span', { class: 'host', text: row.service }), ' ', el('span', { class: 'mono quiet', text: row.port }),
    row.cluster.includes('#') ? el('span', { class: 'sub mono', text: row.cluster }) : null) },
  { name: 'tls', label: 'TLS', value: (row) => row.tls || '', cell: (row) => el('span', { class: row.tls === 'broken' ? 'pill bad' : 'quiet', text: row.tls || 'off' }) },
  { name: 'state', label: 'State', value: health, cell: (row) => el('span', { class: `pill ${pills[health(row)][0]}`, text: pills[health(row)][1] }) },
  { name: 'size', label: 'Endpoints', number: true, value: (row) => row.endpoints.length, cell: (row) => el('span', { text: out(row) ? `${row.endpoints.length - out(row)} of ${row.endpoints.length}` : row.endpoints.length }) },
  { name: 'members', label: 'Addresses', value: (row) => (row.endpoints[0] || {}).address || '', cell: (row) => el('div', { class: 'chips' },
    ...row.endpoints.slice(0, SHOWN).map((one) => el('span', { class: one.state === 'serving' ? 'chip' : 'chip bad', title: one.zone || false,
      text: one.address + (one.state === 'serving' ? '' : ` ${one.state}`) + (one.requests ? ` (${one.requests})` : '') })),
    row.endpoints.length > SHOWN ? el('span', { class: 'quiet', text: `and ${row.endpoints.length - SHOWN} more` }) : null) },
];

export async function load(get) { return get('/api/endpoints'); }

export function draw(data) {
  const result = el('div', { id: 'result' });
  const fill = () => {
    const words = state.search.toLowerCase();
    const rows = data.clusters.filter((row) => !words || row.cluster.toLowerCase().includes(words) || row.endpoints.some((one) => one.address.includes(words)));
    result.replaceChildren(table('Endpoints', columns, rows, state, fill));
  };
  const search = el('input', { type: 'search', id: 'search', value: state.search, autocomplete: 'off', placeholder: 'service or address', oninput: () => {
    Object.assign(state, { search: search.value, page: 0 });
    fill();
  } });
  fill();
  return el('div', {}, el('h1', { text: 'Endpoints' }),
    el('p', { class: 'lead', text: `${plural(data.clusters.length, 'service port')}; green takes requests, red failed its checks or was ejected.` }),
    el('div', { class: 'bar' }, el('label', { class: 'grow' }, 'Search', search)), result);
}
