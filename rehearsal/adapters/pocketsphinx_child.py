"""Decodes speech for the process that started it.

Standard input: messages of one byte (B begin, S sound, F finish), four bytes of length (big end first) and, for sound,
16 kHz 16 bit samples (low byte first). Standard output: one JSON object a line: ready, heard, finished, failed.
Arguments: folder of the package, language model, dictionary. Ends when standard input closes.
"""

import json
import struct
import sys

LOOK_BYTES = 3200  # 100 ms between two looks at the hypothesis
FRAME_BYTES = 640


def tell(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def read_exactly(stream, count):
    data = b""
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            return None
        data += more
    return data


def text_of(decoder):
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


def main():
    package, language_model, dictionary = sys.argv[1:4]
    if package:
        sys.path.insert(0, package)
    from pocketsphinx import Decoder, get_model_path

    decoder = Decoder(
        hmm=get_model_path() + "/en-us/en-us",
        lm=language_model,
        dict=dictionary,
        fwdflat=False,
        loglevel="FATAL",
    )
    tell(ready=True)
    source = sys.stdin.buffer
    is_open = False
    unseen = 0
    while True:
        head = read_exactly(source, 5)
        if head is None:
            return
        kind, length = head[:1], struct.unpack(">I", head[1:])[0]
        payload = read_exactly(source, length) if length else b""
        if payload is None:
            return
        if kind == b"B":
            if is_open:
                decoder.end_utt()
            decoder.start_utt()
            is_open, unseen = True, 0
        elif kind == b"F":
            if is_open:
                decoder.end_utt()
            is_open = False
            tell(finished=text_of(decoder))
        elif kind == b"S" and is_open:
            for at in range(0, len(payload), FRAME_BYTES):
                decoder.process_raw(payload[at : at + FRAME_BYTES], no_search=False, full_utt=False)
            unseen += len(payload)
            if unseen >= LOOK_BYTES:
                unseen = 0
                tell(heard=text_of(decoder))


try:
    main()
except Exception as error:  # whatever it is, whoever started us can only tell of it
    tell(failed=f"{type(error).__name__}: {error}")
    sys.exit(1)
