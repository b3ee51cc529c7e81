// Every text goes in by textContent: a name that looks like markup stays a name.
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') node.className = value;
    else if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((one) => one !== null && one !== undefined));
  return node;
}

export function svg(tag, properties = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const count = (value) => Math.round(value).toLocaleString('en-US');
export const plural = (value, word) => `${count(value)} ${word}${value === 1 ? '' : 's'}`;
export const rate = (value) => (value === 0 ? '0' : value < 10 ? value.toFixed(1) : count(value));
export const milliseconds = (seconds) => {
  if (!seconds) return '\u2013';
  const value = seconds * 1000;
  return value < 10 ? value.toFixed(1) : count(value);
};

// columns: {name, label, number, value(row) for sorting, cell(row) -> node or text}. state: {sort, down, page}, kept by the caller.
export function table(caption, columns, rows, state, redraw, size = 100) {
  const by = columns.find((one) => one.name === state.sort) || columns[0];
  const sorted = [...rows].sort((a, b) => {
    const [x, y] = [by.value(a), by.value(b)];
    const order = typeof x === 'number' ? x - y : String(x).localeCompare(String(y));
    return state.down ? -order : order;
  });
  const pages = Math.max(1, Math.ceil(sorted.length / size));
  state.page = Math.min(state.page || 0, pages - 1);
  const head = el('tr', {}, ...columns.map((column) => el('th', {
    scope: 'col', class: column.number ? 'number' : '',
    'aria-sort': column === by ? (state.down ? 'descending' : 'ascending') : undefined,
  }, el('button', { type: 'button', 'data-sort': column.name, text: column.label, onclick: () => {
    Object.assign(state, { down: state.sort === column.name ? !state.down : Boolean(column.number), sort: column.name, page: 0 });
    redraw();
    document.querySelector(`[data-sort="${column.name}"]`)?.focus();
  } }))));
  const body = el('tbody', {}, ...sorted.slice(state.page * size, (state.page + 1) * size).map((row) => el('tr', {},
    ...columns.map((column) => el('td', { class: column.number ? 'number' : '' }, column.cell(row))))));
  const grid = el('div', { class: 'card' }, el('div', { class: 'scroll' },
    el('table', {}, el('caption', { text: caption }), el('thead', {}, head), body)));
  if (!sorted.length) grid.append(el('p', { class: 'empty', text: 'Nothing to show.' }));
  return el('div', {}, grid, pager(sorted.length, pages, size, state, redraw));
}

function pager(total, pages, size, state, redraw) {
  const first = total ? state.page * size + 1 : 0;
  const go = (step) => () => {
    state.page += step;
    redraw();
    document.querySelector(`[data-step="${step}"]`)?.focus();
  };
  const button = (step, text, off) => el('button', { type: 'button', 'data-step': step, disabled: off, text, onclick: go(step) });
  return el('div', { class: 'pager' },
    el('span', { class: 'count', role: 'status', text: `${count(first)}\u2013${count(Math.min(total, (state.page + 1) * size))} of ${count(total)}` }),
    ...(pages > 1 ? [button(-1, 'Previous', state.page === 0), button(1, 'Next', state.page >= pages - 1)] : []));
}
