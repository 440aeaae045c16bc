/** What each kind of failure means, and what to do about it. The server's message says where it happened. */
import type { FailureKind } from "../api/types";

interface Meaning {
  title: string;
  cause: string;
  remedy: string;
}

export const FAILURES: Record<FailureKind, Meaning> = {
  rejected: {
    title: "Not a submission",
    cause: "The file does not contain what a submission needs.",
    remedy:
      "Compare the file with the starting kit: it needs a function unlearning(net, retain_loader, forget_loader, val_loader).",
  },
  import_error: {
    title: "Could not be imported",
    cause: "Your module raised an exception while it was being imported.",
    remedy: "Import only packages that the sandbox has, and do no work at the top level of the module.",
  },
  exception: {
    title: "Raised an exception",
    cause: "unlearning() raised an exception, or its process ended early.",
    remedy: "Run lethe evaluate on your machine: it uses the same sandbox and shows the whole traceback.",
  },
  timeout: {
    title: "Took too long",
    cause: "A run did not finish within the phase's time limit.",
    remedy: "Do less work in each run: use fewer epochs, or fewer batches of the retain set.",
  },
  out_of_memory: {
    title: "Ran out of memory",
    cause: "A run needed more memory than the phase allows.",
    remedy: "Use smaller batches, and keep fewer copies of the data and of the model.",
  },
  bad_checkpoint: {
    title: "Unusable model",
    cause: "The returned model has a different architecture, or it contains values that are not finite.",
    remedy: "Return a model of the same architecture, and lower the learning rate if training diverges.",
  },
  too_much_output: {
    title: "Too much output",
    cause: "A run printed or wrote more than the limit.",
    remedy: "Print less, and write only temporary files.",
  },
  unstable: {
    title: "Broke without an explanation",
    cause:
      "Your submission broke several attempts in a way that we could not explain, while a control entry passed.",
    remedy:
      "Run lethe evaluate on your machine: it uses the same sandbox. Leave the sandbox's own files and processes alone.",
  },
  platform: {
    title: "Our fault",
    cause: "We could not finish the evaluation after several attempts.",
    remedy:
      "Submit the file again: this submission does not count against your quota. If it happens again, tell the organiser.",
  },
};
