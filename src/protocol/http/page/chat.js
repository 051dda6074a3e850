// What this user knows of the chat. A place is a room, `#builds`, or a private conversation, `@ann`.

import { mentions } from './text.js';

export const LOBBY = '#lobby';
const KEPT = 5000; // items of a place

export class Chat {
	me = null;
	farewell = null;
	places = new Map();
	here = LOBBY; // what is shown

	place(key) {
		if (!this.places.has(key)) this.places.set(key, { key, topic: '', items: [], unread: 0 });
		return this.places.get(key);
	}

	get rooms() {
		return [...this.places.values()].filter(({ key }) => key[0] === '#');
	}

	/** The first `online` will be about the user. */
	arrive() {
		this.me = this.farewell = null;
		for (const room of this.rooms) room.members = null;
	}

	hear(event) {
		const { event: kind, from, room, old, text, code, verb, pos, replay } = event;
		const place = replay && room ? this.place(`#${room}`) : this.places.get(`#${room}`);
		if (!replay) {
			if (kind === 'online') this.me ??= from;
			const talk = kind === 'known_as' && this.places.get(`@${old}`);
			if (talk && this.places.delete(talk.key)) this.places.set(`@${from.name}`, Object.assign(talk, { key: `@${from.name}` }));
			if (kind === 'topic' && place) place.topic = text;
			if (/^(online|joined|known_as)$/.test(kind)) place?.members?.set(from.addr, from.name);
			if (/^(offline|left)$/.test(kind)) place?.members?.delete(from.addr);
		}
		if (kind === 'renamed') this.me = from;
		if (kind === 'farewell') this.farewell = event;
		if (kind === 'ok' && verb === 'join') Object.assign(this.place(`#${room}`), { topic: text ?? '', isJoined: true, pos });
		if ((kind === 'ok' && verb === 'leave') || code === 'kicked') this.places.delete(`#${room}`);
		if (kind === 'gap') for (const it of this.places.values()) if (it.key[0] === '@') missed(it);
		if (kind === 'refused' && place && code === 'history-gone' && verb === 'join') missed(place);
		if (kind === 'private') this.#add(this.place(`@${from.name}`), event);
		if (kind === 'notice') this.#add(place ?? this.place(this.here), event);
		if (place && from && kind !== 'notice') this.#add(place, event);
	}

	/** The server does not tell what the user has said in private. */
	said(name, text, at) {
		this.#add(this.place(`@${name}`), { event: 'private', from: this.me, text, at });
	}

	#add(place, { event, at, from, text, old, pos, replay }) {
		const { items, key } = place;
		if (replay && items.some((item) => item.pos === pos)) return;
		const item = { event, at: +new Date(at), ...from, text, old, pos };
		const isOthers = /^(message|private)$/.test(event) && item.addr !== this.me?.addr;
		item.isLoud = isOthers && (key[0] === '@' || Boolean(this.me && mentions(text, this.me.name)));
		let index = items.length;
		while (replay && index > 0 && isBehind(items[index - 1], item)) index -= 1;
		const isLast = index === items.length;
		items.splice(index, 0, item);
		if (!isLast) return;
		place.pos = pos ?? place.pos;
		// What was said before the user came is not unread.
		if (isOthers && (key[0] === '@' || place.isJoined)) {
			if (!place.unread) place.isLoud = false;
			if (!place.unread && (document.hidden || key !== this.here)) place.mark = item;
			place.unread += 1;
			place.isLoud ||= item.isLoud;
		}
		if (items.length > 1.5 * KEPT) {
			items.splice(0, items.length - KEPT);
			place.isWhole = false;
		}
	}
}

function missed({ items }) {
	const last = items.at(-1);
	if (last && last.event !== 'gap') items.push({ event: 'gap', at: last.at });
}

// By their positions, where these are of the same run of the server.
function isBehind(a, b) {
	const [[n, epoch], [m, other]] = [a, b].map(({ pos }) => pos?.split('.') ?? []);
	return epoch && epoch === other ? +n > +m : a.at > b.at;
}
