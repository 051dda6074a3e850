// The messages of one place: some hundred rows of them, around what is being read.

import { dayOf, escaped, make, nameOf, textOf, timeOf } from './text.js';
import { say } from './words.js';

const ROWS = 150;
const NEAR = 500; // pixels from an end, where more rows are added
const TOGETHER_MS = 300_000; // messages that stand under one name

const bottom = (row) => row.getBoundingClientRect().bottom;

export class Log {
	isAtEnd = true;
	#place = { items: [] };
	#rows = new Map();
	#first = 0;

	constructor(box, list, on) {
		Object.assign(this, { box, list, ...on });
		box.onscroll = () => {
			this.#extend();
			this.scrolled();
		};
		new ResizeObserver(() => this.isAtEnd && this.update()).observe(box);
	}

	show(place) {
		this.list.replaceChildren();
		this.#rows.clear();
		this.#place = place;
		this.toEnd();
	}

	toEnd() {
		this.isAtEnd = true;
		this.scrolled();
	}

	update() {
		const { box } = this;
		const { items } = this.#place;
		const first = this.isAtEnd ? items.length - ROWS : items.indexOf(this.#rows.keys().next().value);
		this.#render(first, first + (this.isAtEnd ? ROWS : 2 * ROWS));
		if (this.isAtEnd) box.scrollTop = box.scrollHeight;
		this.#extend();
	}

	#render(from, to) {
		const { items, mark } = this.#place;
		const { box, list } = this;
		this.#first = Math.max(from, 0);
		const read = [...list.children].find((row) => bottom(row) > box.getBoundingClientRect().top);
		const before = read && bottom(read);
		const rows = new Map(items.slice(this.#first, to).map((item) => [item, this.#rows.get(item) ?? rowOf(item)]));
		for (const [item, row] of this.#rows) if (!rows.has(item)) row.remove();
		this.#rows = rows;
		let next = list.firstChild;
		let previous = items[this.#first - 1];
		for (const [item, row] of rows) {
			arrange(row, item, previous, item === mark);
			if (row === next) next = row.nextSibling;
			else list.insertBefore(row, next);
			previous = item;
		}
		if (read?.isConnected) box.scrollTop += bottom(read) - before;
	}

	/** Adds rows at an end that is near. */
	#extend() {
		const { scrollTop, scrollHeight, clientHeight } = this.box;
		const [first, end, count] = [this.#first, this.#first + this.#rows.size, this.#place.items.length];
		const below = scrollHeight - scrollTop - clientHeight;
		this.isAtEnd = below < 40 && (this.isAtEnd || end >= count);
		if (scrollTop < NEAR && first > 0) this.#render(first - ROWS / 2, Math.min(end, first + ROWS));
		else if (scrollTop < NEAR) this.older(this.#place);
		else if (below < NEAR && end < count) this.#render(Math.max(first, end - ROWS), end + ROWS / 2);
	}
}

function rowOf({ event, name = '', text, old, at, isLoud }) {
	if (event === 'gap') return make('li', event, say(event));
	const who = nameOf(event === 'known_as' ? old : name);
	const time = timeOf(at);
	if (/^(message|private)$/.test(event)) return make('li', isLoud ? 'loud' : '', make('div', 'head', who, ' ', time), textOf(text));
	return make('li', text ? event : 'presence', time, ' ', who, ` ${say(event)} `, event === 'known_as' ? nameOf(name) : escaped(text ?? ''));
}

/** What depends on the row before. */
function arrange({ classList, dataset }, item, previous, isNew) {
	const isNewDay = !previous || dayOf(previous.at) !== dayOf(item.at);
	const isMore = !isNewDay && !isNew && ['event', 'name', 'addr'].every((key) => previous[key] === item[key]);
	classList.toggle('more', isMore && item.at - previous.at < TOGETHER_MS);
	classList.toggle('new', isNew);
	dataset.line = [isNewDay && dayOf(item.at), isNew && say('latest')].filter(Boolean).join(' · ');
}
