import type { components } from "./schema";

type Schemas = components["schemas"];

export type Alarmed = Schemas["AlarmedOut"];
export type Campaign = Schemas["CampaignOut"];
export type Certificate = Schemas["CertificateOut"];
export type Competition = Schemas["CompetitionOut"];
export type CompetitionDetail = Schemas["CompetitionDetail"];
export type Entry = Schemas["EntryOut"];
export type FailureKind = Schemas["FailureKind"];
export type Leaderboard = Schemas["LeaderboardOut"];
export type Me = Schemas["MeOut"];
export type Move = Schemas["MoveOut"];
export type NewPhase = Schemas["NewPhase"];
export type Phase = Schemas["PhaseOut"];
export type Role = Schemas["Role"];
export type Score = Schemas["ScoreOut"];
export type Submission = Schemas["SubmissionOut"];
export type SubmissionState = Schemas["SubmissionState"];
