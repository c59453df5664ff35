"""The command line: ``timbrelib --help``."""

import io
import os
import sys

BROKEN_PIPE, INTERRUPTED = 141, 130  # exit statuses of a command that the signal of that name ends, 128 + number


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status; an expected error is one sentence."""
    advice = ""
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # what it cannot encode, such as the name of a file, is escaped
                stream.reconfigure(errors="backslashreplace")
        import logging  # here, so that Ctrl-C ends in a sentence from the beginning

        from timbrelib.cli.options import command_line

        options = command_line().parse_args(arguments)
        if options.command == "train":
            advice = "; run the same command with --resume to continue"
        logging.basicConfig(format="%(message)s", stream=sys.stderr)
        logging.getLogger("timbrelib").setLevel(logging.INFO)  # and of other libraries, warnings only
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, head for instance, wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at the end
        return BROKEN_PIPE
    except (ValueError, OSError, FloatingPointError, ModuleNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nstopped{advice}", file=sys.stderr)
        return INTERRUPTED
    return 0
