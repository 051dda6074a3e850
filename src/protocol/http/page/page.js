// The page: what it shows of the chat, and what its user does.

import { makeBox } from './box.js';
import { Chat, LOBBY } from './chat.js';
import { drawPeople, drawPlaces, hrefOf, keyOf } from './lists.js';
import { Log } from './log.js';
import { PAGE, makeSession, parse, refusalIn } from './session.js';
import { join } from './tabs.js';
import { escaped, make, nameOf } from './text.js';
import { say, translate } from './words.js';

const $ = (selector) => document.querySelector(selector);
const chat = new Chat();
const session = makeSession(chat, { tell, change, complain });
const log = new Log($('#scroll'), $('#log'), { older, scrolled: due });
const box = makeBox($('#write'), { send, names });
let open = []; // the rooms that there are
let isDue = false;
const [asked, loading] = [new Set(), new Set()]; // places of which members, or history, are asked for

// -- Tabs

function share(message) {
	hear(message);
	tab(message);
}

function tell(events) {
	share({ events, last: session.last });
}

function hear({ events = [], last, hello, all, state, read, said, back }) {
	if (session.leads) {
		if (hello) tab({ all: { ...chat }, state: current() });
		if (state) session.secret = state.secret;
		if (state?.status === 'left' && session.status !== 'left') session.set('left');
	} else {
		Object.assign(chat, all, { here: chat.here });
		Object.assign(session, state, last && { last });
	}
	for (const event of events) {
		const { event: kind, room, replay, from, text } = event;
		chat.hear(event);
		if (kind === 'message' && `#${room}` === chat.here && !replay && from.addr !== chat.me?.addr) $('#heard').textContent = escaped(`${from.name}: ${text}`);
	}
	if (chat.me && chat.me.name !== chat.me.addr) session.name = chat.me.name;
	if (said) chat.said(...said);
	if (back) location.reload();
	if (read && chat.places.has(read)) chat.place(read).unread = 0;
	if (all) log.show(chat.place(chat.here));
	if (state) refresh();
	due();
}

const current = ({ id, status, secret, last } = session) => ({ id, status, secret, last });

function change() {
	tab({ state: current() });
	refresh();
	due();
}

/** The server would not let the user in, or not into a room. */
function complain({ code, verb, room, text }) {
	if (verb !== 'join' || code === 'login-required') askUser(text);
	else if (`#${room}` === chat.here) box.refuse(text);
}

// -- What is shown

function due() {
	if (isDue) return;
	isDue = true;
	if (document.hidden) setTimeout(draw, 300);
	else requestAnimationFrame(draw);
}

function draw() {
	isDue = false;
	const { me, here, farewell, places } = chat;
	const { status, waiting, leads } = session;
	const place = places.get(here);
	if (!place) {
		location.hash = hrefOf(places.keys().next().value ?? LOBBY);
		return;
	}
	if (leads && status === 'online' && /^(quit|kicked|banned|logged-out|idle)$/.test(farewell?.code)) session.set('left');
	log.update();
	if (log.isAtEnd && !document.hidden && place.unread) share({ read: here });
	drawPlaces([$('#rooms'), $('#privates'), $('#others')], chat, open);
	drawPeople($('aside ul'), place.members, me);
	const unread = [...places.values()].reduce((sum, it) => sum + it.unread, 0);
	$('h1').textContent = here;
	document.title = `${unread ? `(${unread}) ` : ''}${here} · pipechat`;
	if (document.activeElement !== $('#topic input')) $('#topic input').value = escaped(place.topic);
	$('#topic').hidden = $('#open-people').hidden = here[0] === '@';
	$('#open-people').textContent = say('here', place.members?.size ?? '');
	$('#waiting').replaceChildren(...waiting.filter((it) => it.place === here).map(({ texts }) => make('li', '', texts.join('\n'))));
	$('#me span').replaceChildren(me ? nameOf(me.name) : '');
	$('#jump').hidden = log.isAtEnd;
	$('#back').hidden = status !== 'left';
	$('#status').textContent = { offline: say('reconnecting'), left: farewell?.text ?? say('left') }[status] ?? '';
}

function go() {
	const key = keyOf(location.hash);
	if (key !== chat.here) delete chat.places.get(chat.here)?.mark;
	chat.here = key;
	panel('')();
	log.show(chat.place(key));
	box.show(key, say('write', key));
	refresh();
}

// -- Asking the server

/** Asks for what is not known of what is shown. */
async function refresh() {
	const place = chat.places.get(chat.here);
	if (session.status !== 'online' || place?.key[0] !== '#' || asked.has(place) || place.members) return;
	asked.add(place);
	const room = place.key.slice(1);
	const answers = await session.send([...(place.isJoined ? [] : [`join|${room}|last|${PAGE}`]), `who|${room}`, 'rooms']);
	asked.delete(place);
	const refusal = refusalIn(answers);
	if (refusal) {
		complain({ ...refusal, verb: 'join', room });
		return;
	}
	place.members = new Map(answers.filter(({ event }) => event === 'user').map(({ from }) => [from.addr, from.name]));
	open = answers.filter(({ event }) => event === 'room');
	const joined = `#${answers.find(({ verb }) => verb === 'who').room}`;
	if (joined !== place.key) {
		chat.places.delete(place.key); // its name is written in another way
		location.replace(hrefOf(joined));
	}
	due();
}

async function older(place) {
	const { key, items, isWhole, isJoined } = place;
	if (session.status !== 'online' || isWhole || loading.has(place) || !isJoined) return;
	loading.add(place);
	const count = items.length;
	const before = items.find(({ pos }) => pos)?.pos;
	const query = before ? `&before=${before}` : '';
	const headers = session.secret ? { Authorization: session.secret } : {};
	const response = await fetch(`rooms/${encodeURIComponent(key.slice(1))}?last=${PAGE}${query}`, { headers }).catch(() => ({}));
	for (const event of parse(await response.text?.() ?? '')) if (event.replay) chat.hear(event);
	place.isWhole = items.length === count && response.status < 429;
	loading.delete(place);
	due();
}

async function send(text) {
	const [place, name, verb] = [chat.here, chat.here.slice(1), chat.here[0] === '@' ? 'to' : 'in'];
	const texts = text.split('\n').filter((line) => line.trim());
	const sending = session.send(texts.map((line) => `${verb}|${name}|${line}`), { place, texts });
	log.toEnd();
	const answers = await sending;
	const done = answers.filter(({ event }) => event !== 'refused');
	if (verb === 'to') for (const line of texts.slice(0, done.length)) share({ said: [name, line, Date.now()] });
	const refusal = refusalIn(answers);
	if (refusal) box.giveBack(place, texts.slice(done.length).join('\n'), refusal.text);
	else if (done.some(({ code }) => code === 'kept')) box.refuse(say('kept'));
	due();
}

async function act(line) {
	box.refuse(refusalIn(await session.send([line]))?.text ?? '');
	due();
}

function names() {
	const { members, items } = chat.place(chat.here);
	const spoke = items.slice(-100).reverse().map(({ name }) => name);
	return [...spoke, ...(members?.values() ?? [])].filter((name) => name !== chat.me?.name && name);
}

// -- The user

const form = $('dialog form');
const wrong = $('dialog [role=alert]');

function askUser(why = '') {
	form.reset();
	form.name.value = session.name;
	wrong.textContent = why;
	if (!$('dialog').open) $('dialog').showModal();
}

form.onsubmit = async (event) => {
	event.preventDefault();
	const [name, password, token] = [...form.elements].map(({ name: of, value }) => of === 'password' ? value : value.trim());
	const line = token ? `login|${token}` : password ? `login|${name}|${password}` : `rename|${name}`;
	wrong.textContent = refusalIn(await session.send([line]))?.text ?? '';
	if (wrong.textContent) return;
	$('dialog').close();
	const basic = () => btoa(String.fromCodePoint(...new TextEncoder().encode(`${name}:${password}`)));
	session.secret = token ? `Bearer ${token}` : password ? `Basic ${basic()}` : null;
	localStorage.name = session.secret ? '' : name;
	change();
};

function onEnter(selector, use) {
	$(selector).onsubmit = (event) => {
		event.preventDefault();
		const [input] = event.target.elements;
		use(input.value.trim());
		event.target.reset();
		input.blur();
	};
}

onEnter('#topic', (text) => act(`topic|${chat.here.slice(1)}|${text}`));
onEnter('#add', (name) => { location.hash = hrefOf(`#${name.replace(/^#/, '')}`); });

const panel = (name) => () => { document.body.dataset.open = name; };
const onClick = (selector, use) => { $(selector).onclick = use; };
onClick('#me', () => askUser());
onClick('#cancel', () => $('dialog').close());
onClick('#quit', () => {
	$('dialog').close();
	session.end();
});
onClick('#back', () => share({ back: true }));
onClick('#leave', () => {
	if (chat.place(chat.here).isJoined) act(`leave|${chat.here.slice(1)}`);
	else chat.places.delete(chat.here);
	due();
});
onClick('#jump', () => log.toEnd());
onClick('#open-nav', panel('nav'));
onClick('#open-people', panel('people'));
onClick('#shade', panel(''));
onClick('.skip', (event) => {
	event.preventDefault();
	panel('')();
	$('textarea').focus();
});
addEventListener('keydown', ({ key }) => key === 'Escape' && panel('')());
addEventListener('hashchange', go);
addEventListener('visibilitychange', draw);

// A page that is loaded again goes on where it was. A new one has the same session, if it is still there, or the same rooms.
addEventListener('pagehide', () => {
	const { me, places, rooms } = chat;
	const ends = [...places.values()].map((place) => ({ ...place, members: null, isWhole: false, items: place.items.slice(-PAGE) }));
	const state = session.status === 'left' ? {} : current();
	sessionStorage.chat = JSON.stringify({ me, places: ends, state });
	localStorage.chat = JSON.stringify({ me, places: rooms.filter(({ isJoined }) => isJoined).map(({ key }) => ({ key })), state: { id: state.id } });
});

translate();
session.name = new URLSearchParams(location.search).get('name') ?? localStorage.name ?? '';
const { me = null, places = [{ key: LOBBY }], state } = JSON.parse(sessionStorage.chat ?? localStorage.chat ?? '{}');
for (const place of places) Object.assign(chat.place(place.key), place);
chat.me = me;
Object.assign(session, state);
const tab = join(`pipechat${location.pathname}`, { lead: session.lead, resign: session.resign, hear });
tab({ hello: true });
go();
