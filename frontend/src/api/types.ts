import type { components } from "./schema";

type Schemas = components["schemas"];

export type Act = Schemas["Act"];
export type Alarmed = Schemas["AlarmedOut"];
export type Campaign = Schemas["CampaignOut"];
export type Catalogue = Schemas["CatalogueOut"];
export type Certificate = Schemas["CertificateForm"];
export type Checked = Schemas["CheckOut"];
export type ColumnInfo = Schemas["ColumnInfo"];
export type Competition = Schemas["CompetitionOut"];
export type Comparison = Schemas["ComparisonOut"];
export type CompetitionDetail = Schemas["CompetitionDetail"];
export type Confidences = Schemas["ConfidencesForm"];
export type Details = Schemas["DetailsOut"];
export type Entry = Schemas["EntryOut"];
export type EventData = Schemas["EventOut"];
export type EventKind = Schemas["EventKind"];
export type FailureKind = Schemas["FailureKind"];
export type Histograms = Schemas["HistogramsForm"];
export type Preview = Schemas["PreviewOut"];
export type Leaderboard = Schemas["LeaderboardOut"];
export type Me = Schemas["MeOut"];
export type Move = Schemas["MoveOut"];
export type Unscorable = Schemas["UnscorableOut"];
export type NewPhase = Schemas["NewPhase"];
export type OpenEvaluation = Schemas["OpenEvaluationOut"];
export type Phase = Schemas["PhaseOut"];
export type Queue = Schemas["QueueOut"];

export type QueuePlace = Schemas["QueuePlaceOut"];
export type Quota = Schemas["QuotaOut"];
export type Role = Schemas["Role"];
export type Score = Schemas["ScoreOut"];
export type Submission = Schemas["SubmissionOut"];
export type SubmissionState = Schemas["SubmissionState"];
export type Token = Schemas["TokenOut"];
