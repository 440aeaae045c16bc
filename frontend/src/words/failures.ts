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
    cause: "The file does not hold what a submission needs.",
    remedy:
      "Compare it with the starting kit: one function unlearning(net, retain_loader, forget_loader, val_loader).",
  },
  import_error: {
    title: "Could not be imported",
    cause: "Your module raised while it was being imported.",
    remedy: "Import only what the sandbox has, and keep work out of the top level of the module.",
  },
  exception: {
    title: "Raised an exception",
    cause: "unlearning() raised, or its process ended early.",
    remedy: "Run lethe evaluate on your machine: it uses the same sandbox and shows the whole traceback.",
  },
  timeout: {
    title: "Took too long",
    cause: "A run was still going when the phase's time limit ended it.",
    remedy: "Do less work in each call: fewer epochs, or fewer batches of the retain set.",
  },
  out_of_memory: {
    title: "Ran out of memory",
    cause: "A run needed more memory than the phase allows.",
    remedy: "Use smaller batches, and keep fewer copies of the data and of the model.",
  },
  bad_checkpoint: {
    title: "Unusable model",
    cause: "The model that came back differs from the architecture, or holds values that are not finite.",
    remedy: "Return a model of the same architecture, and watch for a learning rate that diverges.",
  },
  too_much_output: {
    title: "Too much output",
    cause: "The run printed or wrote more than is allowed.",
    remedy: "Print less, and write only temporary files.",
  },
  platform: {
    title: "Our fault",
    cause: "The platform could not finish the evaluation, though it tried more than once.",
    remedy:
      "Submit again: this one does not count against your quota. Tell the organiser if it happens twice.",
  },
};
