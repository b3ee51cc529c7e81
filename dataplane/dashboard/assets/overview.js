import { count, el, plural, rate, svg } from '/dom.js';
import * as figures from '/figures.js';

function tile(label, value, note, bad) {
  return el('div', { class: bad ? 'tile bad' : 'tile' }, el('dt', { text: label }), el('dd', { text: value }), el('dd', { class: 'note', text: note }));
}

function spark(history) {
  const most = Math.max(1, ...history.map((one) => one.rate));
  const line = (member) => history.map((one, i) => `${i ? 'L' : 'M'}${(i * 600) / Math.max(1, history.length - 1)} ${80 - (one[member] / most) * 72}`).join('');
  const shape = svg('svg', { class: 'spark', viewBox: '0 0 600 84', preserveAspectRatio: 'none', role: 'img', 'aria-label': 'Requests a second over the last minutes' });
  if (history.length > 1)
    shape.append(svg('path', { class: 'area', d: `${line('rate')}L600 84L0 84Z` }), svg('path', { d: line('rate') }), svg('path', { class: 'errors', d: line('errors') }));
  return shape;
}

function problems(list) {
  if (!list.length) return el('div', { class: 'card' }, el('p', { class: 'empty', text: 'No route answers errors by itself, and no certificate runs out within two weeks.' }));
  return el('div', { class: 'card' }, el('ul', { class: 'list', tabindex: '0', 'aria-label': 'Problems' }, ...list.map((one) => el('li', {},
    el('span', { class: one.kind === 'certificate' ? 'pill warn' : 'pill bad', text: one.kind }), ' ', el('span', { class: 'where', text: one.where }),
    el('span', { class: 'text', text: one.text })))));
}

export async function load(get) { return get('/api/overview'); }

export function draw(data) {
  const last = figures.history[figures.history.length - 1];
  return el('div', {},
    el('h1', { text: 'Overview' }),
    el('p', { class: 'lead', text: `Version ${count(data.version)} of the configuration is live.` }),
    el('dl', { class: 'tiles' },
      tile('Requests a second', last ? rate(last.rate) : '\u2026', `${plural(figures.totals.connections_active || 0, 'open connection')}`),
      tile('Server errors a second', last ? rate(last.errors) : '\u2026', last && last.rate ? `${((100 * last.errors) / last.rate).toFixed(1)} % of requests` : 'no requests', last && last.errors > 0),
      tile('Routes', count(data.routes), data.routes_in_trouble ? `${count(data.routes_in_trouble)} in trouble` : `on ${plural(data.hosts, 'host')}`, data.routes_in_trouble > 0),
      tile('Endpoints', count(data.endpoints), data.endpoints_out ? `${count(data.endpoints_out)} out of service` : `of ${plural(data.clusters, 'service port')}`, data.endpoints_out > 0),
      tile('Certificates', count(data.certificates), 'served by name')),
    el('div', { class: 'split' },
      el('section', { 'aria-labelledby': 'traffic' }, el('h2', { id: 'traffic', text: 'Traffic' }),
        el('div', { class: 'card' }, spark(figures.history), el('p', { class: 'legend' }, el('span', {}, 'requests ', el('b', { text: last ? rate(last.rate) : '\u2026' }), ' /s'),
          el('span', {}, 'server errors ', el('b', { text: last ? rate(last.errors) : '\u2026' }), ' /s'), el('span', {}, 'no route ', el('b', { text: count(figures.totals.unrouted || 0) }), ' so far')))),
      el('section', { 'aria-labelledby': 'listeners' }, el('h2', { id: 'listeners', text: 'Listeners' }),
        el('div', { class: 'card' }, el('ul', { class: 'list' }, ...data.listeners.map((one) => el('li', {}, el('span', { class: 'where', text: one.name }), ' ',
          el('span', { class: 'pill', text: one.protocol }), el('span', { class: 'text mono', text: one.binds.join('  ') }))))))),
    el('h2', { text: data.problems.length ? `Problems (${count(data.problems.length)})` : 'Problems' }),
    problems(data.problems));
}
