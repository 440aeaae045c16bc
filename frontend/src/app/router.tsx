/** Every address of the app. Pages load when they are first visited. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Page } from "../ui/Page";
import { Failed, Loading, NotFound } from "../ui/states";
import { Layout } from "./Layout";

/** What the address says of a name. The router has read a phase called 2023 as a number. */
function text(search: Record<string, unknown>, name: string): string | undefined {
  const value = search[name];
  return value === undefined ? undefined : String(value);
}

interface OfPhase {
  phase?: string;
}

const ofPhase = (search: Record<string, unknown>): OfPhase => ({ phase: text(search, "phase") });

/** Where to go on, once somebody is signed in. */
const goingBack = (search: Record<string, unknown>): { back?: string } => ({ back: text(search, "back") });

const root = createRootRoute({ component: Layout });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("../pages/welcome/Home"), "Home"),
});

const about = createRoute({
  getParentRoute: () => root,
  path: "/about",
  component: lazyRouteComponent(() => import("../pages/welcome/Welcome"), "Welcome"),
});

const competitions = createRoute({
  getParentRoute: () => root,
  path: "/competitions",
  component: lazyRouteComponent(() => import("../pages/competitions/Competitions"), "Competitions"),
});

const competition = createRoute({
  getParentRoute: () => root,
  path: "/competitions/$slug",
  component: lazyRouteComponent(() => import("../pages/competition/Competition"), "Competition"),
});

const overview = createRoute({
  getParentRoute: () => competition,
  path: "/",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/competition/Overview"), "Overview"),
});

const rules = createRoute({
  getParentRoute: () => competition,
  path: "/rules",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/competition/Rules"), "Rules"),
});

const scoring = createRoute({
  getParentRoute: () => competition,
  path: "/scoring",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/competition/Scoring"), "Scoring"),
});

const kit = createRoute({
  getParentRoute: () => competition,
  path: "/kit",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/competition/StartingKit"), "StartingKit"),
});

const leaderboard = createRoute({
  getParentRoute: () => competition,
  path: "/leaderboard",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/leaderboard/Leaderboard"), "Leaderboard"),
});

const submit = createRoute({
  getParentRoute: () => competition,
  path: "/submit",
  validateSearch: (search: Record<string, unknown>): OfPhase & { again?: string } => ({
    phase: text(search, "phase"),
    again: text(search, "again"),
  }),
  component: lazyRouteComponent(() => import("../pages/submit/Submit"), "Submit"),
});

const organise = createRoute({
  getParentRoute: () => competition,
  path: "/organise",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/organise/Rooms"), "Rooms"),
});

const phases = createRoute({
  getParentRoute: () => organise,
  path: "/",
  component: lazyRouteComponent(() => import("../pages/organise/Phases"), "Phases"),
});

const addPhase = createRoute({
  getParentRoute: () => organise,
  path: "/add-phase",
  component: lazyRouteComponent(() => import("../pages/organise/AddPhase"), "AddPhase"),
});

const entries = createRoute({
  getParentRoute: () => organise,
  path: "/entries",
  component: lazyRouteComponent(() => import("../pages/organise/Entries"), "Entries"),
});

const rescoring = createRoute({
  getParentRoute: () => organise,
  path: "/rescoring",
  component: lazyRouteComponent(() => import("../pages/organise/Rescoring"), "Rescoring"),
});

const record = createRoute({
  getParentRoute: () => organise,
  path: "/record",
  component: lazyRouteComponent(() => import("../pages/organise/Record"), "Record"),
});

const archive = createRoute({
  getParentRoute: () => organise,
  path: "/archive",
  component: lazyRouteComponent(() => import("../pages/organise/Archive"), "Archive"),
});

const messages = createRoute({
  getParentRoute: () => organise,
  path: "/messages",
  component: lazyRouteComponent(() => import("../pages/announcements/Announcements"), "Announcements"),
});

const webhooks = createRoute({
  getParentRoute: () => organise,
  path: "/webhooks",
  component: lazyRouteComponent(() => import("../pages/webhooks/OfCompetition"), "WebhooksOfCompetition"),
});

const announcements = createRoute({
  getParentRoute: () => competition,
  path: "/announcements",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/announcements/Announcements"), "Announcements"),
});

const file = createRoute({
  getParentRoute: () => organise,
  path: "/file",
  component: lazyRouteComponent(() => import("../pages/file/FileOfCompetition"), "FileOfCompetition"),
});

const page = createRoute({
  getParentRoute: () => competition,
  path: "/pages/$page",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/competition/PageOfCompetition"), "PageOfCompetition"),
});

const benchmarks = createRoute({
  getParentRoute: () => root,
  path: "/benchmarks",
  component: lazyRouteComponent(() => import("../pages/benchmarks/Benchmarks"), "Benchmarks"),
});

const newFromFile = createRoute({
  getParentRoute: () => root,
  path: "/new-competition",
  component: lazyRouteComponent(() => import("../pages/file/NewFromFile"), "NewFromFile"),
});

const judging = createRoute({
  getParentRoute: () => organise,
  path: "/judging",
  component: lazyRouteComponent(() => import("../pages/judging/Judging"), "Judging"),
});

const matrices = createRoute({
  getParentRoute: () => organise,
  path: "/matrices",
  validateSearch: (search: Record<string, unknown>): OfPhase & { matrix?: string } => ({
    phase: text(search, "phase"),
    matrix: text(search, "matrix"),
  }),
  component: lazyRouteComponent(() => import("../pages/matrices/Matrices"), "Matrices"),
});

const winners = createRoute({
  getParentRoute: () => competition,
  path: "/winners",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/winners/Winners"), "Winners"),
});

const people = createRoute({
  getParentRoute: () => organise,
  path: "/people",
  component: lazyRouteComponent(() => import("../pages/people/People"), "People"),
});

const teamsOfCompetition = createRoute({
  getParentRoute: () => competition,
  path: "/teams",
  validateSearch: ofPhase,
  component: lazyRouteComponent(() => import("../pages/teams/TeamsOfCompetition"), "TeamsOfCompetition"),
});

const teams = createRoute({
  getParentRoute: () => root,
  path: "/teams",
  component: lazyRouteComponent(() => import("../pages/teams/Teams"), "Teams"),
});

const team = createRoute({
  getParentRoute: () => root,
  path: "/teams/$name",
  component: lazyRouteComponent(() => import("../pages/teams/Team"), "Team"),
});

const join = createRoute({
  getParentRoute: () => root,
  path: "/join",
  component: lazyRouteComponent(() => import("../pages/teams/Join"), "Join"),
});

const submissions = createRoute({
  getParentRoute: () => root,
  path: "/submissions",
  validateSearch: (search: Record<string, unknown>): { tag?: string } => ({ tag: text(search, "tag") }),
  component: lazyRouteComponent(() => import("../pages/submissions/Submissions"), "Submissions"),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/submissions/compare",
  validateSearch: (search: Record<string, unknown>) => ({
    one: text(search, "one") ?? "",
    other: text(search, "other") ?? "",
  }),
  component: lazyRouteComponent(() => import("../pages/submissions/Compare"), "Compare"),
});

const submission = createRoute({
  getParentRoute: () => root,
  path: "/submissions/$id",
  component: lazyRouteComponent(() => import("../pages/submission/Submission"), "Submission"),
});

const shared = createRoute({
  getParentRoute: () => root,
  path: "/shared/$id",
  component: lazyRouteComponent(() => import("../pages/sharing/Shared"), "Shared"),
});

const code = createRoute({
  getParentRoute: () => root,
  path: "/submissions/$id/code",
  validateSearch: (search: Record<string, unknown>): { other?: string } => ({ other: text(search, "other") }),
  component: lazyRouteComponent(() => import("../pages/judging/Code"), "Code"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: goingBack,
  component: lazyRouteComponent(() => import("../pages/account/SignIn"), "SignIn"),
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  validateSearch: goingBack,
  component: lazyRouteComponent(() => import("../pages/account/SignUp"), "SignUp"),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  path: "/signed-in/$name",
  component: lazyRouteComponent(() => import("../pages/account/SignedIn"), "SignedIn"),
});

const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("../pages/account/ForgotPassword"), "ForgotPassword"),
});

const resetPassword = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  component: lazyRouteComponent(() => import("../pages/account/ResetPassword"), "ResetPassword"),
});

const verifyEmail = createRoute({
  getParentRoute: () => root,
  path: "/verify-email",
  component: lazyRouteComponent(() => import("../pages/account/VerifyEmail"), "VerifyEmail"),
});

const stopMail = createRoute({
  getParentRoute: () => root,
  path: "/stop-mail",
  component: lazyRouteComponent(() => import("../pages/account/StopMail"), "StopMail"),
});

const notices = createRoute({
  getParentRoute: () => root,
  path: "/notices",
  component: lazyRouteComponent(() => import("../pages/notices/Notices"), "Notices"),
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyRouteComponent(() => import("../pages/account/Account"), "Account"),
});

const docs = createRoute({
  getParentRoute: () => root,
  path: "/docs",
  component: lazyRouteComponent(() => import("../pages/docs/Docs"), "Docs"),
});

const docsHome = createRoute({
  getParentRoute: () => docs,
  path: "/",
  component: lazyRouteComponent(() => import("../pages/docs/DocsPage"), "DocsPage"),
});

const docsPage = createRoute({
  getParentRoute: () => docs,
  path: "$",
  component: lazyRouteComponent(() => import("../pages/docs/DocsPage"), "DocsPage"),
});

const operator = createRoute({
  getParentRoute: () => root,
  path: "/operator",
  component: lazyRouteComponent(() => import("../pages/operator/Operator"), "Operator"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    about,
    competitions,
    competition.addChildren([
      overview,
      rules,
      scoring,
      kit,
      leaderboard,
      announcements,
      submit,
      organise.addChildren([
        phases,
        addPhase,
        entries,
        judging,
        rescoring,
        matrices,
        people,
        messages,
        webhooks,
        file,
        archive,
        record,
      ]),
      teamsOfCompetition,
      winners,
      page,
    ]),
    benchmarks,
    newFromFile,
    teams,
    team,
    join,
    submissions,
    compare,
    submission,
    code,
    shared,
    signIn,
    signUp,
    signedIn,
    forgotPassword,
    resetPassword,
    verifyEmail,
    notices,
    stopMail,
    account,
    docs.addChildren([docsHome, docsPage]),
    operator,
  ]),
  defaultPreload: "intent",
  defaultPendingComponent: () => <Loading />,
  defaultErrorComponent: ({ error, reset }) => (
    <Page title="Error">
      <Failed error={error} again={reset} />
    </Page>
  ),
  defaultNotFoundComponent: () => (
    <Page title="Not found">
      <NotFound />
    </Page>
  ),
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
