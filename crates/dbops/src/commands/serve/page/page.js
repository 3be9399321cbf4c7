// Tells times in the reader's zone, and brings the sections up to date in place. The page is whole without it.
'use strict';

const every = Number(document.body.dataset.every || 0);
// As they came: what the script or the reader changed in a section is no reason to exchange it.
const shown = new Map();

function localTimes(root) {
  for (const time of root.querySelectorAll('time[datetime]')) {
    const date = new Date(time.dateTime);
    if (!Number.isNaN(date.getTime())) {
      time.textContent = date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
    }
  }
}

function exchange(next) {
  const old = document.getElementById(next.id);
  const html = next.outerHTML;
  if (shown.get(next.id) === html) return;
  shown.set(next.id, html);
  if (!old) {
    document.getElementById('main').append(next);
    localTimes(next);
    return;
  }
  for (const details of old.querySelectorAll('details[open][id]')) {
    const same = next.querySelector('#' + CSS.escape(details.id));
    if (same) same.open = true;
  }
  // The reader's place by keyboard: the same kind of thing, counted within the section.
  const stops = 'a,summary,button,input,[tabindex]';
  const focused = old.contains(document.activeElement)
    ? [...old.querySelectorAll(stops)].indexOf(document.activeElement)
    : -1;
  const scrolled = [...old.querySelectorAll('.scroll,.revisions')].map((box) => [box.scrollLeft, box.scrollTop]);
  localTimes(next);
  old.replaceWith(next);
  next.querySelectorAll('.scroll,.revisions').forEach((box, index) => {
    if (scrolled[index]) [box.scrollLeft, box.scrollTop] = scrolled[index];
  });
  if (focused >= 0) next.querySelectorAll(stops)[focused]?.focus({ preventScroll: true });
}

function notice(text) {
  const box = document.getElementById('notice');
  if (!box) return;
  box.textContent = text;
  box.hidden = false;
  shown.delete('notice');
}

async function refresh() {
  let wait = every;
  try {
    const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (answer.status === 401) {
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error('it answers ' + answer.status);
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.title = next.title;
    for (const section of next.querySelectorAll('main > section')) exchange(section);
    if (!document.getElementById('targets')) wait = 1;
  } catch (error) {
    notice('Not up to date: dbops serve does not answer (' + error.message + ')');
  }
  setTimeout(refresh, wait * 1000);
}

for (const section of document.querySelectorAll('main > section')) shown.set(section.id, section.outerHTML);
localTimes(document);
if (every > 0) setTimeout(refresh, document.getElementById('targets') ? every * 1000 : 500);
