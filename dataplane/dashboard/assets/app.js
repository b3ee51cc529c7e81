import * as certificates from '/certificates.js';
import * as endpoints from '/endpoints.js';
import * as explain from '/explain.js';
import * as figures from '/figures.js';
import * as overview from '/overview.js';
import * as routes from '/routes.js';
import { el } from '/dom.js';

const PAGES = { overview, routes, endpoints, certificates, explain };
// Milliseconds between two readings: /?every=10 asks for 10 s.
const asked = Number(new URLSearchParams(location.search).get('every')) || 3;
const PERIOD = 1000 * Math.min(Math.max(asked, 0.2), 60);
const main = document.getElementById('main');
const live = document.getElementById('live');
let shown = '';
let turn = 0;

async function get(path) {
  const answer = await fetch(path, { cache: 'no-store' });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

function say(text, on) {
  live.textContent = text;
  live.parentElement.className = on ? 'live on' : 'live off';
}

// A page that someone types into is not drawn anew under the fingers.
function busy() {
  const active = document.activeElement;
  return shown === 'explain' || (active && main.contains(active) && active !== main);
}

// unless: asked again when the data are there, for someone may have begun to type meanwhile.
async function show(name, unless = () => false) {
  const mine = ++turn;
  const page = PAGES[name];
  try {
    const data = await page.load(get);
    if (mine !== turn || unless()) return;
    const reload = async () => {
      await show(name);
      const search = document.getElementById('search');
      search?.focus();
      search?.setSelectionRange(search.value.length, search.value.length);
    };
    main.replaceChildren(page.draw(data, () => show(name), reload, get));
    if (shown !== name) window.scrollTo(0, 0);
    shown = name;
    main.dataset.page = name;
    document.title = `${main.querySelector('h1').textContent} \u00b7 Weir`;
  } catch (error) {
    if (mine !== turn) return;
    say('not reachable', false);
    if (shown !== name) main.replaceChildren(el('p', { class: 'empty', text: `The dataplane does not answer (${error.message}). Trying again.` }));
  }
}

function wanted() {
  const name = location.hash.replace(/^#\//, '');
  return name in PAGES ? name : 'overview';
}

async function navigate() {
  const name = wanted();
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.page === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  await show(name);
}

async function beat() {
  try {
    if (document.visibilityState === 'visible') {
      figures.take(await get('/api/traffic'));
      say('live', true);
      if (!busy()) await show(wanted(), busy);
    }
  } catch {
    say('not reachable', false);
  }
  setTimeout(beat, PERIOD);
}

window.addEventListener('hashchange', () => {
  main.focus();
  navigate();
});
navigate();
beat();
