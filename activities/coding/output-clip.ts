import { StringDecoder } from 'node:string_decoder';

/** Collects output of any length and keeps its beginning and its end: `maxChars` in all, half and half. */
export class OutputClip {
  readonly #half: number;
  readonly #decoder = new StringDecoder('utf8');
  #head = '';
  #tail = '';
  #dropped = 0;

  constructor(maxChars: number) {
    this.#half = Math.floor(maxChars / 2);
  }

  write(bytes: Uint8Array): void {
    this.#add(this.#decoder.write(bytes));
  }

  /** The text; where something is missing, a line says how much. NUL characters are shown as U+FFFD. */
  end(): string {
    this.#add(this.#decoder.end());
    this.#trim();
    const text =
      this.#dropped === 0
        ? this.#head + this.#tail
        : `${this.#head}\n[... ${this.#dropped} characters cut here ...]\n${this.#tail}`;
    return text.replaceAll('\0', '\uFFFD');
  }

  #add(text: string): void {
    const room = this.#half - this.#head.length;
    if (room > 0) this.#head += text.slice(0, room);
    this.#tail += text.slice(Math.max(0, room));
    if (this.#tail.length > 4 * this.#half) this.#trim();
  }

  #trim(): void {
    const over = this.#tail.length - this.#half;
    if (over <= 0) return;
    this.#dropped += over;
    this.#tail = this.#tail.slice(over);
  }
}
