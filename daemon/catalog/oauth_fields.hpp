#pragma once

#include "catalog/entry_node.hpp"
#include "catalog/service.hpp"

namespace credlease::catalog {

/// What the readers of an auth type's OAuth share: its fields, and where a problem goes.
class OAuthFields {
  public:
    OAuthFields(std::vector<Field>& fields, EntryProblem& problem) : fields_(fields), problem_(problem) {}

    struct Kind {
        vocabulary::FieldType type = vocabulary::FieldType::string;
        bool secret = false;
        Source source = Source::person;
        result::StaticText otherwise; ///< what is said of a field of another kind
    };
    /// The field that a member names; nullopt where the member is absent.
    [[nodiscard]] std::optional<std::size_t> find(const EntryNode& node, std::string_view member,
                                                  const Kind& kind) const;

    /// A template of public fields that a person gives; nullopt where the member is absent.
    [[nodiscard]] std::optional<Template> placed(const EntryNode& node, std::string_view member) const;

    /// Further parameters of a request, or claims of a JWT: different names, and none of those that are made elsewhere.
    using Names = std::initializer_list<std::string_view>;
    [[nodiscard]] std::vector<Parameter> parameters(const EntryNode& node, std::string_view member, Names taken) const;
    [[nodiscard]] std::vector<Parameter> headers(const EntryNode& node, std::string_view member);

    [[nodiscard]] const Field& operator[](std::size_t index) const { return fields_[index]; }
    [[nodiscard]] std::size_t size() const { return fields_.size(); }
    [[nodiscard]] EntryProblem& problem() const { return problem_; }

  private:
    void mark_header(const Template& value);

    std::vector<Field>& fields_;
    EntryProblem& problem_;
};

} // namespace credlease::catalog
