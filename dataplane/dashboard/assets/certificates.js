import { el, plural, table } from '/dom.js';

const state = { sort: 'left', down: false, page: 0 };
const days = (row) => (row.not_after * 1000 - Date.now()) / 86400000;

function left(row) {
  const value = days(row);
  if (value <= 0) return el('span', { class: 'pill bad', text: 'expired' });
  const shade = value < 7 ? 'bad' : value < 14 ? 'warn' : 'good';
  return el('span', { class: `pill ${shade}`, text: plural(Math.floor(value), 'day') });
}

const columns = [
  { name: 'name', label: 'Secret', value: (row) => row.name, cell: (row) => el('span', {}, el('span', { class: 'host', text: row.name }), el('span', { class: 'sub mono', text: row.fingerprint.slice(0, 16) })) },
  { name: 'names', label: 'Names in it', value: (row) => row.names.join(), cell: (row) => el('span', { class: 'mono', text: row.names.slice(0, 12).join(', ') + (row.names.length > 12 ? ` and ${row.names.length - 12} more` : '') }) },
  { name: 'hosts', label: 'Hosts that use it', value: (row) => row.hosts.length, cell: (row) => row.hosts.length
    ? el('span', { class: 'mono', text: row.hosts.slice(0, 12).join(', ') + (row.hosts.length > 12 ? ` and ${row.hosts.length - 12} more` : '') })
    : el('span', { class: 'quiet', text: 'none by name' }) },
  { name: 'type', label: 'Key', value: (row) => row.key_type, cell: (row) => el('span', { text: row.key_type }) },
  { name: 'until', label: 'Until', value: (row) => row.not_after, cell: (row) => el('time', { datetime: new Date(row.not_after * 1000).toISOString(), text: new Date(row.not_after * 1000).toISOString().slice(0, 10) }) },
  { name: 'left', label: 'Left', value: days, cell: left },
];

export async function load(get) { return get('/api/certificates'); }

export function draw(data) {
  const result = el('div', { id: 'result' });
  const fill = () => result.replaceChildren(table('Certificates', columns, data.certificates, state, fill));
  fill();
  return el('div', {}, el('h1', { text: 'Certificates' }),
    el('p', { class: 'lead', text: `${plural(data.certificates.length, 'certificate')}, the next to expire first. Keys never leave the dataplane.` }), result);
}
