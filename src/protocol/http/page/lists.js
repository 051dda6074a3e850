// The lists at the sides: rooms, private conversations, and who is here.

import { LOBBY } from './chat.js';
import { escaped, make, nameOf } from './text.js';
import { say } from './words.js';

const SHOWN = 200; // of longer lists

/** In the page's address: `#builds`, `#@ann`. */
export const hrefOf = (key) => `#${key[0] === '@' ? '@' : ''}${encodeURIComponent(key.slice(1))}`;

export function keyOf(hash) {
	const name = new URLSearchParams(`x=${hash.slice(1).replace(/[+&]/g, encodeURIComponent)}`).get('x');
	return name[0] === '@' ? name : name ? `#${name}` : LOBBY;
}

/** Makes the links of a list those of these keys. Those that stay keep the focus. */
function fill(list, keys, draw) {
	const old = new Map([...list.children].map((row) => [row.dataset.key, row]));
	const rows = keys.slice(0, SHOWN).map((key, index) => {
		const row = old.get(key) ?? make('li', '', make('a'));
		row.dataset.key = key;
		draw(row.firstChild, key);
		if (list.children[index] !== row) list.insertBefore(row, list.children[index]);
		return row;
	});
	while (list.children.length > rows.length) list.lastChild.remove();
}

export function drawPlaces([rooms, privates, others], { places, here }, open) {
	const all = new Map([...open.map(({ room, count, text }) => [`#${room}`, { count, topic: text }]), ...places]);
	const keys = [...all.keys()].sort((a, b) => (b === LOBBY) - (a === LOBBY) || (a < b ? -1 : 1));
	const draw = (link, key) => {
		const { topic, unread, isLoud, count, members } = all.get(key);
		link.href = hrefOf(key);
		link.ariaCurrent = key === here ? 'page' : null;
		const badge = make('span', isLoud ? 'badge loud' : 'badge', unread, make('span', 'aside', say('unread')));
		const number = unread ? badge : make('small', '', members?.size ?? (count || ''));
		link.replaceChildren(key[0] === '@' ? nameOf(key.slice(1)) : make('bdi', '', key), number);
		if (topic) link.append(make('small', 'about', escaped(topic)));
	};
	fill(rooms, keys.filter((key) => key[0] === '#' && places.has(key)), draw);
	fill(privates, keys.filter((key) => key[0] === '@'), draw);
	fill(others, keys.filter((key) => !places.has(key)), draw);
}

export function drawPeople(list, members, me) {
	const people = new Map([...(members ?? [])].sort(([, a], [, b]) => (a < b ? -1 : 1)));
	fill(list, [...people.keys()], (link, addr) => {
		link.href = hrefOf(`@${people.get(addr)}`);
		link.title = addr;
		link.replaceChildren(nameOf(people.get(addr)), make('small', '', addr === me?.addr ? say('you') : ''));
	});
}
