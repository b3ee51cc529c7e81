import { el } from '/dom.js';

const state = { method: 'GET', url: '', header: '', answer: null };
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

function fact(name, value) { return value ? el('span', {}, `${name} `, el('b', { text: value })) : null; }

function backends(answer) {
  return (answer.backends || []).map((one) => el('li', {}, el('span', { class: 'where', text: one.cluster }), ' ', el('span', { class: 'quiet', text: `weight ${one.weight}` }),
    one.trouble ? el('span', { class: 'why', text: one.trouble }) : null,
    el('div', { class: 'chips' }, ...one.endpoints.map((end) => el('span', { class: end.state === 'serving' ? 'chip' : 'chip bad', text: end.state === 'serving' ? end.address : `${end.address} ${end.state}` })))));
}

function candidates(answer) {
  return answer.candidates.map((one) => el('tr', { class: one.won ? 'won' : '' },
    el('td', {}, one.won ? el('span', { class: 'pill good', text: 'takes it' }) : el('span', { class: 'pill', text: 'not' })),
    el('td', {}, el('span', { class: 'mono', text: one.path }), el('span', { class: 'sub', text: one.kind })),
    el('td', {}, el('span', { text: one.owner }), el('span', { class: 'sub mono', text: one.field })),
    el('td', { text: one.reason })));
}

function result(answer) {
  if (answer.error) return el('p', { class: 'verdict', role: 'alert', text: answer.error });
  const parts = [el('p', { class: 'verdict', text: answer.verdict }),
    el('p', { class: 'facts' }, fact('listener', answer.listener), fact('certificate', (answer.certificates || []).join(', ')), fact('host entry', answer.host_entry), fact('path as compared', answer.normal_path),
      fact('filters', (answer.policies || []).join(', ')))];
  if (answer.trouble) parts.push(el('p', { class: 'why', text: answer.trouble }));
  const behind = backends(answer);
  if (behind.length) parts.push(el('div', { class: 'card' }, el('ul', { class: 'list', 'aria-label': 'Backends' }, ...behind)));
  if (answer.candidates.length)
    parts.push(el('h2', { text: 'Every rule of the host, in the order in which they are looked at' }),
      el('div', { class: 'card' }, el('div', { class: 'scroll' }, el('table', {}, el('caption', { text: 'Candidates' }),
        el('thead', {}, el('tr', {}, ...['', 'Path', 'From', 'Why'].map((text) => el('th', { scope: 'col', text })))), el('tbody', {}, ...candidates(answer))))));
  return el('div', {}, ...parts);
}

export async function load() { return {}; }

export function draw(_, again, reload, get) {
  const shown = el('div', { id: 'answer', 'aria-live': 'polite' });
  if (state.answer) shown.append(result(state.answer));
  const method = el('select', { id: 'method' }, ...METHODS.map((one) => el('option', { text: one, selected: one === state.method })));
  const url = el('input', { id: 'url', required: true, value: state.url, autocomplete: 'off', spellcheck: 'false', placeholder: 'https://shop.example.test/cart' });
  const header = el('textarea', { id: 'header', rows: '1', spellcheck: 'false', placeholder: 'Name: value, one a line' });
  header.value = state.header;
  const ask = async (event) => {
    event.preventDefault();
    Object.assign(state, { method: method.value, url: url.value.trim(), header: header.value });
    const query = new URLSearchParams({ method: state.method, url: state.url, header: state.header });
    state.answer = await get(`/api/explain?${query}`);
    shown.replaceChildren(result(state.answer));
  };
  return el('div', {}, el('h1', { text: 'Explain' }),
    el('p', { class: 'lead', text: 'Which route takes a request, and why. The code that routes traffic answers; nothing is sent to a backend.' }),
    el('div', { class: 'card' }, el('form', { class: 'ask', onsubmit: ask }, el('label', {}, 'Method', method), el('label', {}, 'URL', url),
      el('button', { class: 'main', type: 'submit', text: 'Explain' }), el('label', { class: 'wide' }, 'Headers', header))),
    shown);
}
